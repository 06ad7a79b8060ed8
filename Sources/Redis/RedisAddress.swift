/// Where the server is and how to greet it.
struct RedisAddress: Hashable, Sendable {
    enum Place: Hashable, Sendable {
        case unix(path: String)
        case tcp(host: String, port: Int32)
    }
    static let defaultPort: Int32 = 6379

    var place: Place
    var user: String?
    var password: String?
    var database = 0

    /// Reads `unix:///path[?db=1]` and `redis://[user][:password]@host[:port][/db]`; `[::1]` for IPv6, `%40`
    /// for
    /// `@` inside a password. Nil for anything else, `rediss:` included (hiredis 0.14 has no TLS).
    init?(url: String) {
        if let rest = url.dropping(prefix: "unix://") {
            let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts[0].hasPrefix("/"), parts[0].utf8.count <= Self.unixPathMax else { return nil }
            place = .unix(path: String(parts[0]))
            guard parts.count == 2 else { return }
            guard let number = parts[1].dropping(prefix: "db="), setDatabase(number) else { return nil }
        } else if let rest = url.dropping(prefix: "redis://") {
            place = .tcp(host: "", port: Self.defaultPort)
            guard setNetwork(rest) else { return nil }
        } else {
            return nil
        }
    }

    /// What `sockaddr_un` holds.
    private static let unixPathMax = 107

    private mutating func setNetwork(_ rest: Substring) -> Bool {
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        var authority = rest[..<slash]
        if let at = authority.lastIndex(of: "@") {
            guard setCredentials(authority[..<at]) else { return false }
            authority = authority[authority.index(after: at)...]
        }
        let path = rest[slash...].dropFirst()
        guard path.isEmpty || setDatabase(path) else { return false }
        return setHost(authority)
    }

    private mutating func setCredentials(_ text: Substring) -> Bool {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = percentDecoded(parts[0]) else { return false }
        self.user = user.isEmpty ? nil : user
        guard parts.count == 2 else { return false }
        password = percentDecoded(parts[1])
        return password != nil
    }

    private mutating func setHost(_ text: Substring) -> Bool {
        var host = text
        var port: Substring?
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return false }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        let number = port.map { Int32($0) } ?? Self.defaultPort
        guard !host.isEmpty, text.hasPrefix("[") || !host.contains(":"), !host.contains("["), let number,
            (1...65_535).contains(number)
        else { return false }
        place = .tcp(host: String(host), port: number)
        return true
    }

    private mutating func setDatabase(_ text: Substring) -> Bool {
        guard let number = Int(text), number >= 0 else { return false }
        database = number
        return true
    }
}

extension StringProtocol {
    fileprivate func dropping(prefix: String) -> SubSequence? {
        hasPrefix(prefix) ? self[index(startIndex, offsetBy: prefix.count)...] : nil
    }
}

/// Nil for a broken escape or wrong UTF-8.
private func percentDecoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
        else { return nil }
        bytes.append(value)
        rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
}
