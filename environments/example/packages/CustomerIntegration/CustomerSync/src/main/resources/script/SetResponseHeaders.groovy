import com.sap.gateway.ip.core.customdev.util.Message

/** Answers the CRM with a small JSON receipt instead of the ERP's own response. */
Message processData(Message message) {
    def customerId = message.getHeaders().get("CustomerId") ?: "unknown"
    message.setHeader("Content-Type", "application/json")
    message.setHeader("CamelHttpResponseCode", 202)
    message.setBody("""{"customer":"${customerId}","accepted":true}""".toString())
    return message
}
