package import Base
package import HTTPClient
import NIOCore
package import WebSockets

/// A tenant's account at a vendor of speech, and where to reach it.
package struct VendorAccess: Hashable, Sendable {
    package var key: Redacted<String>
    /// `https://api.deepgram.com`; a region's or a self-hosted address speaks the same.
    package var baseURL: String
    package init(key: Redacted<String>, baseURL: String) {
        self.key = key
        self.baseURL = baseURL
    }

    /// `baseURL` with the scheme of sockets, this path behind it, and the query in its order.
    func socketURL(_ path: String, query: [(String, String)]) -> String {
        var base = baseURL[...]
        while base.last == "/" { base.removeLast() }
        if base.lowercased().hasPrefix("http") { base = "ws" + base.dropFirst(4) }
        let fields = query.map { "\(Self.escaped($0.0))=\(Self.escaped($0.1))" }
        return base + path + (fields.isEmpty ? "" : "?" + fields.joined(separator: "&"))
    }

    /// Percent-encoded but for the unreserved characters of RFC 3986 §2.3.
    static func escaped(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { out, byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default: out += "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
            }
        }
    }
}

extension WebSocketReach {
    /// What `addresses` permits; `caFile` as for `HTTPClient`.
    package init(addresses: AddressPolicy, caFile: String? = nil) {
        self.init(caFile: caFile) { addresses.permits($0.ipAddress ?? "") }
    }
}
