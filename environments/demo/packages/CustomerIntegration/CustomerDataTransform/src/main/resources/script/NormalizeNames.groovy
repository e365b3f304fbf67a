import com.sap.gateway.ip.core.customdev.util.Message
import groovy.xml.XmlUtil

/** Trims names and writes the family name in capitals, as the ERP's address management expects it. */
Message processData(Message message) {
    def customer = new XmlSlurper().parse(message.getBody(java.io.Reader))
    customer.FirstName.replaceBody(customer.FirstName.text().trim())
    customer.LastName.replaceBody(customer.LastName.text().trim().toUpperCase(Locale.ROOT))
    message.setBody(XmlUtil.serialize(customer))
    return message
}
