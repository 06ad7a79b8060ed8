package import Glibc

/// Which addresses may be connected to, judged on the resolved address: a name that resolves to something
/// else the second time, or an address in disguise (decimal, octal, mapped), changes nothing.
package struct AddressPolicy: Sendable {
    /// Anything: for addresses the operator has configured.
    package static let anyAddress = AddressPolicy(allowed: nil)

    /// Public unicast addresses, and these networks (`10.1.0.0/16`, `::1/128`, or a single address).
    package static func publicOnly(allowing cidrs: [String]) throws -> AddressPolicy {
        AddressPolicy(allowed: try cidrs.map { try Network($0) })
    }

    /// nil: no judging.
    private let allowed: [Network]?

    /// `text` as `inet_pton` takes it; false for anything else, unless everything is allowed.
    package func permits(_ text: String) -> Bool {
        guard allowed != nil else { return true }
        return Address(text).map(permits) ?? false
    }

    func permits(_ address: Address) -> Bool {
        guard let allowed else { return true }
        return allowed.contains { $0.contains(address) } || address.isPublic
    }

    /// False for a family that is neither IPv4 nor IPv6, unless everything is allowed.
    package func permits(_ address: UnsafePointer<sockaddr>) -> Bool {
        guard allowed != nil else { return true }
        return Address(address).map(permits) ?? false
    }
}

/// A network that is not `address` or `address/bits`.
package struct BadNetwork: Error, Hashable {
    package var text: String
}

/// An IPv4 or IPv6 address as a number.
enum Address: Hashable, CustomStringConvertible {
    case v4(UInt32)
    case v6(UInt128)

    /// Textual form of `inet_pton`: dotted quad, or RFC 4291.
    init?(_ text: String) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self = .v4(UInt32(bigEndian: v4.s_addr))
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            self = .v6(Self.number(v6))
        } else {
            return nil
        }
    }

    init?(_ address: UnsafePointer<sockaddr>) {
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            self = .v4(UInt32(bigEndian: raw.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr))
        case AF_INET6: self = .v6(Self.number(raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr))
        default: return nil
        }
    }

    private static func number(_ address: in6_addr) -> UInt128 {
        withUnsafeBytes(of: address) { UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self)) }
    }

    var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        switch self {
        case .v4(let number):
            var address = in_addr(s_addr: number.bigEndian)
            inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
        case .v6(let number):
            var bytes = number.bigEndian
            inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// IPv4: all but the special networks. IPv6: only 2000::/3, the part given out, less its special
    /// networks; so loopback, mapped and compatible IPv4, NAT64, unique-local, link-local, multicast and
    /// whatever comes are out.
    var isPublic: Bool {
        switch self {
        case .v4: !Self.specialV4.contains { $0.contains(self) }
        case .v6: Self.globalV6.contains(self) && !Self.specialV6.contains { $0.contains(self) }
        }
    }

    /// IANA IPv4 special-purpose registry, with multicast and class E.
    private static let specialV4: [Network] = [
        .v4(0, 8),  // this network, unspecified
        .v4(0x0A00_0000, 8),  // private
        .v4(0x6440_0000, 10),  // carrier-grade NAT
        .v4(0x7F00_0000, 8),  // loopback
        .v4(0xA9FE_0000, 16),  // link-local, cloud metadata
        .v4(0xAC10_0000, 12),  // private
        .v4(0xC000_0000, 24),  // protocol assignments
        .v4(0xC000_0200, 24),  // documentation
        .v4(0xC058_6300, 24),  // 6to4 relays
        .v4(0xC0A8_0000, 16),  // private
        .v4(0xC612_0000, 15),  // benchmarks
        .v4(0xC633_6400, 24),  // documentation
        .v4(0xCB00_7100, 24),  // documentation
        .v4(0xE000_0000, 4),  // multicast
        .v4(0xF000_0000, 4),  // reserved, broadcast
    ]
    private static let globalV6 = Network.v6(0x2000 << 112, 3)
    private static let specialV6: [Network] = [
        .v6(0x2001 << 112, 23),  // protocol assignments: Teredo, ORCHID, benchmarks
        .v6(0x2001_0DB8 << 96, 32),  // documentation
        .v6(0x2002 << 112, 16),  // 6to4
        .v6(0x3FFF << 112, 20),  // documentation
    ]
}

/// An address and how many of its leading bits count.
struct Network: Hashable, Sendable {
    private let isV4: Bool
    private let prefix: UInt128
    private let bits: Int

    /// `address/bits`, or an address alone. Bits behind the prefix are ignored.
    init(_ text: String) throws(BadNetwork) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = Address(String(parts[0])) else { throw BadNetwork(text: text) }
        let width = address.width
        let bits = parts.count == 2 ? Int(parts[1]) : width
        guard let bits, 0...width ~= bits else { throw BadNetwork(text: text) }
        self.init(address, bits)
    }

    private init(_ address: Address, _ bits: Int) {
        isV4 = address.width == 32
        self.bits = bits
        prefix = bits == 0 ? 0 : address.number >> UInt128(address.width - bits)
    }

    static func v4(_ number: UInt32, _ bits: Int) -> Network { Network(.v4(number), bits) }
    static func v6(_ number: UInt128, _ bits: Int) -> Network { Network(.v6(number), bits) }

    func contains(_ address: Address) -> Bool {
        guard (address.width == 32) == isV4 else { return false }
        return bits == 0 || address.number >> UInt128(address.width - bits) == prefix
    }
}

extension Address {
    fileprivate var width: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }
    fileprivate var number: UInt128 {
        switch self {
        case .v4(let number): UInt128(number)
        case .v6(let number): number
        }
    }
}
