/// What the carrier is told to do with a call, in order.
package enum TwiML: Hashable, Sendable {
    case connect(action: String?, stream: Stream)
    case say(String)
    case play(url: String, loop: Int)
    case pause(seconds: Int)
    case redirect(url: String)
    case reject(isBusy: Bool)
    case hangup

    package struct Stream: Hashable, Sendable {
        package var url: String
        package var parameters: [String: String]
        package var statusCallback: String?
        package init(url: String, parameters: [String: String], statusCallback: String? = nil) {
            self.url = url
            self.parameters = parameters
            self.statusCallback = statusCallback
        }
    }

    package struct Refused: Error, Hashable, Sendable {
        package var reason: String
    }

    /// A parameter's name and value together may not be longer. Source: reference/providers/twilio.md.
    static let parameterMax = 500
    static let verbsMax = 100
    static let playLoopMax = 100

    /// Reads a `<Response>`.
    /// - Throws: `Markup.Malformed`, or `Refused` for a verb the simulated carrier does not know or a wrong
    /// one.
    package static func parse(_ document: String) throws -> [TwiML] {
        let root = try Markup.parse(document)
        guard root.name == "Response" else { throw Refused(reason: "root is not Response") }
        guard root.children.count <= verbsMax else { throw Refused(reason: "too many verbs") }
        return try root.children.map(verb)
    }

    private static func verb(_ element: Markup) throws -> TwiML {
        let text = trimmed(element.text)
        switch element.name {
        case "Connect": return try connect(element)
        case "Say": return .say(text)
        case "Play":
            let loop = Int(element.attributes["loop"] ?? "1") ?? 1
            return .play(url: text, loop: min(max(loop, 1), playLoopMax))
        case "Pause": return .pause(seconds: max(0, Int(element.attributes["length"] ?? "1") ?? 1))
        case "Redirect": return .redirect(url: text)
        case "Reject": return .reject(isBusy: element.attributes["reason"] == "busy")
        case "Hangup": return .hangup
        default: throw Refused(reason: "unknown verb \(element.name)")
        }
    }

    private static func connect(_ element: Markup) throws -> TwiML {
        guard element.children.count == 1, let child = element.children.first, child.name == "Stream" else {
            throw Refused(reason: "Connect needs one Stream")
        }
        guard let url = child.attributes["url"], url.hasPrefix("ws://") || url.hasPrefix("wss://") else {
            throw Refused(reason: "Stream needs a ws or wss url")
        }
        // The carrier drops query strings of stream URLs: who relies on one must find out here.
        guard !url.contains("?") else { throw Refused(reason: "Stream url has a query") }
        var parameters: [String: String] = [:]
        for parameter in child.children where parameter.name == "Parameter" {
            guard let name = parameter.attributes["name"], let value = parameter.attributes["value"],
                name.utf8.count + value.utf8.count < parameterMax
            else { throw Refused(reason: "bad Parameter") }
            parameters[name] = value
        }
        let stream = Stream(
            url: url, parameters: parameters, statusCallback: child.attributes["statusCallback"])
        return .connect(action: element.attributes["action"], stream: stream)
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace: (Character) -> Bool = { $0.isWhitespace }
        guard let first = text.firstIndex(where: { !isSpace($0) }),
            let last = text.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(text[first...last])
    }
}
