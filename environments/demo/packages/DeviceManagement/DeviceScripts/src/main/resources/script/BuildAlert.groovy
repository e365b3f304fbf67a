import com.sap.gateway.ip.core.customdev.util.Message
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

/** Makes one alert of every reading above the property Threshold, hottest first. */
Message buildAlerts(Message message) {
    def threshold = message.getProperties().get("Threshold") as BigDecimal
    def subject = message.getProperties().get("Subject") as String
    def readings = new JsonSlurper().parse(message.getBody(java.io.Reader)) as List
    def alerts = readings
        .findAll { reading -> reading.temperature > threshold }
        .sort { reading -> -reading.temperature }
        .collect { reading -> [device: reading.device, temperature: reading.temperature, subject: subject] }
    message.setProperty("AlertCount", alerts.size())
    message.setHeader("Content-Type", "application/json")
    message.setBody(JsonOutput.toJson(alerts))
    return message
}
