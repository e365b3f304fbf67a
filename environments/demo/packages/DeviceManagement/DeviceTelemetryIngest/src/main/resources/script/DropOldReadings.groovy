import com.sap.gateway.ip.core.customdev.util.Message
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

/** Keeps the newest readings where a device sends more than the property MaxReadings allows. */
Message processData(Message message) {
    def limit = message.getProperties().get("MaxReadings") as Integer
    def readings = new JsonSlurper().parse(message.getBody(java.io.Reader)) as List
    def newest = readings.sort { reading -> reading.at }.reverse().take(limit)
    message.setProperty("DroppedReadings", readings.size() - newest.size())
    message.setBody(JsonOutput.toJson(newest.reverse()))
    return message
}
