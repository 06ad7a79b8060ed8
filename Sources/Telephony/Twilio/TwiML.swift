/// Instructions to the carrier, as XML. Source: twilio.com/docs/voice/twiml.
package struct TwiML: Hashable, Sendable {
    package enum Verb: Hashable, Sendable {
        /// Two-way audio to `stream`; the carrier asks `action` what to do when the stream has ended.
        case connect(action: String, stream: String, parameters: [String: String])
        case say(String, voice: String? = nil)
        case play(url: String)
        case redirect(url: String)
        case pause(seconds: Int)
        case hangUp
        /// Only first, before the call is answered.
        case reject(isBusy: Bool)
    }

    /// Performed in order.
    package var verbs: [Verb]

    package init(_ verbs: [Verb]) { self.verbs = verbs }

    package var text: String {
        #"<?xml version="1.0" encoding="UTF-8"?>"# + "\n<Response>" + verbs.map(Self.text).joined()
            + "</Response>"
    }

    private static func text(_ verb: Verb) -> String {
        switch verb {
        case .connect(let action, let stream, let parameters):
            let inner = parameters.sorted { $0.key < $1.key }.map {
                #"<Parameter name="\#(escape($0.key))" value="\#(escape($0.value))"/>"#
            }.joined()
            return #"<Connect action="\#(escape(action))" method="POST"><Stream url="\#(escape(stream))">"#
                + inner + "</Stream></Connect>"
        case .say(let words, let voice):
            return "<Say\(voice.map { #" voice="\#(escape($0))""# } ?? "")>\(escape(words))</Say>"
        case .play(let url): return "<Play>\(escape(url))</Play>"
        case .redirect(let url): return #"<Redirect method="POST">\#(escape(url))</Redirect>"#
        case .pause(let seconds): return #"<Pause length="\#(max(1, seconds))"/>"#
        case .hangUp: return "<Hangup/>"
        case .reject(let isBusy): return #"<Reject reason="\#(isBusy ? "busy" : "rejected")"/>"#
        }
    }

    /// Characters XML 1.0 cannot hold are left out.
    private static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&apos;"
            case "\t", "\n", "\r": escaped += "&#\(scalar.value);"
            case let other where other.value < 0x20 || other.value == 0xFFFE || other.value == 0xFFFF: break
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
