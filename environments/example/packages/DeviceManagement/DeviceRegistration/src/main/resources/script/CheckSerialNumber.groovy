import com.sap.gateway.ip.core.customdev.util.Message
import groovy.json.JsonSlurper

/** Refuses serial numbers of another shape than two letters, a hyphen and six digits, e.g. TH-004711. */
Message processData(Message message) {
    def device = new JsonSlurper().parseText(message.getBody(String))
    if (!(device.serial ==~ /[A-Z]{2}-\d{6}/)) {
        throw new IllegalArgumentException("'${device.serial}' is not a serial number")
    }
    message.setProperty("SerialNumber", device.serial)
    return message
}
