import com.sap.gateway.ip.core.customdev.util.Message
import com.sap.it.api.ITApiFactory
import com.sap.it.api.mapping.ValueMappingApi

/** Sets the header Country to the ERP's code for the country name of the CRM, by the value mapping CountryCodes. */
Message processData(Message message) {
    def customer = new XmlSlurper().parse(message.getBody(java.io.Reader))
    def name = customer.Address.Country.text()
    def mappings = ITApiFactory.getService(ValueMappingApi, null)
    def code = mappings.getMappedValue("CRM", "CountryName", name, "ERP", "CountryCode")
    if (code == null) {
        throw new IllegalStateException("No country code for '${name}' in the value mapping CountryCodes")
    }
    message.setHeader("Country", code)
    message.setHeader("CustomerId", customer.CustomerId.text())
    return message
}
