import com.sap.gateway.ip.core.customdev.util.Message
import groovy.transform.Field

@Field static final List<String> MANDATORY = ["CustomerId", "LastName"]

/** Refuses customers without the fields that the ERP cannot do without, naming all that are missing. */
Message checkMandatoryFields(Message message) {
    def customer = new XmlSlurper().parse(message.getBody(java.io.Reader))
    def missing = MANDATORY.findAll { field -> customer[field].text().trim().isEmpty() }
    if (missing) {
        throw new IllegalArgumentException("Customer without " + missing.join(", "))
    }
    message.setHeader("CustomerId", customer.CustomerId.text())
    return message
}

/** Refuses customer numbers that are not C and eight digits. */
Message checkCustomerNumber(Message message) {
    def number = message.getHeaders().get("CustomerId") as String
    if (!(number ==~ /C\d{8}/)) {
        throw new IllegalArgumentException("'${number}' is not a customer number")
    }
    return message
}
