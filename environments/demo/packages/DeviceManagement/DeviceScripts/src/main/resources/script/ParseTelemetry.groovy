import com.sap.gateway.ip.core.customdev.util.Message
import groovy.json.JsonOutput

/** Turns lines of "device;time;temperature" into a JSON list; lines that cannot be read are counted, not guessed. */
Message parse(Message message) {
    def unreadable = 0
    def readings = []
    message.getBody(String).readLines().findAll { line -> !line.trim().isEmpty() }.each { line ->
        def parts = line.split(";")*.trim()
        if (parts.size() == 3 && parts[2].isNumber()) {
            readings << [device: parts[0], at: parts[1], temperature: parts[2] as BigDecimal]
        } else {
            unreadable++
        }
    }
    message.setProperty("UnreadableLines", unreadable)
    message.setBody(JsonOutput.toJson(readings))
    return message
}
