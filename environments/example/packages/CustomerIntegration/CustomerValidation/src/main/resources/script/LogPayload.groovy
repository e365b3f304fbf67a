import com.sap.gateway.ip.core.customdev.util.Message

Message logRequest(Message message) {
    return attach(message, "Request")
}

Message logResponse(Message message) {
    return attach(message, "Response")
}

/** Attaches the body to the message processing log and names the customer there, to be found in the monitor. */
private Message attach(Message message, String title) {
    def log = messageLogFactory.getMessageLog(message)
    if (log != null) {
        log.addAttachmentAsString(title, message.getBody(String), "text/plain")
        def customerId = message.getHeaders().get("CustomerId")
        if (customerId) {
            log.addCustomHeaderProperty("CustomerId", customerId as String)
        }
    }
    return message
}
