import Base
import Foundation

/// JSON values as text, for everything that is not a media frame.
enum JSONText {
    static func encode(_ value: JSON) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Encoding fails only for numbers that are not finite; those become null rather than an error nobody
        // can act on.
        guard let bytes = try? encoder.encode(value) else { return "null" }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// nil for what is not JSON.
    static func decode(_ bytes: [UInt8]) -> JSON? {
        // Why it is not JSON does not matter to a simulated server: it answers 400.
        try? JSONDecoder().decode(JSON.self, from: Data(bytes))
    }
}

extension JSONText {
    /// A string as JSON, for messages written by hand.
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                out.unicodeScalars.append("\\")
                out.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20: out += " "
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
