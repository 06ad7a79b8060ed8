import Glibc
import Testing

@testable import HTTPClient

/// Address, and whether it is public: the first and last of every special network, and their neighbours.
private let table: [(String, Bool)] = [
    ("0.0.0.0", false), ("0.255.255.255", false), ("1.0.0.0", true), ("8.8.8.8", true),
    ("9.255.255.255", true), ("10.0.0.0", false), ("10.255.255.255", false), ("11.0.0.0", true),
    ("100.63.255.255", true), ("100.64.0.0", false), ("100.127.255.255", false), ("100.128.0.0", true),
    ("126.255.255.255", true), ("127.0.0.1", false), ("127.255.255.255", false), ("128.0.0.0", true),
    ("169.253.255.255", true), ("169.254.0.0", false), ("169.254.169.254", false), ("169.254.255.255", false),
    ("169.255.0.0", true), ("172.15.255.255", true), ("172.16.0.0", false), ("172.31.255.255", false),
    ("172.32.0.0", true), ("191.255.255.255", true), ("192.0.0.0", false), ("192.0.0.170", false),
    ("192.0.1.0", true), ("192.0.2.1", false), ("192.0.3.0", true), ("192.88.99.1", false),
    ("192.167.255.255", true), ("192.168.0.0", false), ("192.168.255.255", false), ("192.169.0.0", true),
    ("198.17.255.255", true), ("198.18.0.0", false), ("198.19.255.255", false), ("198.20.0.0", true),
    ("198.51.100.7", false), ("203.0.113.7", false), ("223.255.255.255", true), ("224.0.0.1", false),
    ("239.255.255.255", false), ("240.0.0.0", false), ("255.255.255.255", false),
    ("::", false), ("::1", false), ("::7f00:1", false), ("::ffff:127.0.0.1", false),
    ("::ffff:8.8.8.8", false),
    ("::ffff:0:8.8.8.8", false), ("64:ff9b::8.8.8.8", false), ("64:ff9b:1::1", false), ("100::1", false),
    ("1fff:ffff::1", false), ("2000::1", true), ("2001::1", false), ("2001:0:4136:e378::1", false),
    ("2001:10::1", false), ("2001:1ff:ffff::1", false), ("2001:200::1", true), ("2001:4860:4860::8888", true),
    ("2001:db7:ffff::1", true), ("2001:db8::1", false), ("2001:db9::1", true), ("2002:7f00:1::1", false),
    ("2002:808:808::1", false), ("2003::1", true), ("2606:4700:4700::1111", true), ("2a00:1450::1", true),
    ("3ffe:ffff::1", true), ("3fff::1", false), ("3fff:fff:ffff::1", false), ("3fff:1000::1", true),
    ("4000::1", false), ("5f00::1", false), ("fc00::1", false), ("fd12:3456::1", false), ("fe80::1", false),
    ("febf::1", false), ("fec0::1", false), ("ff02::1", false), ("ff0e::1", false),
]

@Suite struct AddressTests {
    @Test(arguments: table)
    func onlyPublicUnicastPasses(text: String, isPublic: Bool) throws {
        let address = try #require(Address(text))
        #expect(address.isPublic == isPublic)
        #expect(try AddressPolicy.publicOnly(allowing: []).permits(address) == isPublic)
        #expect(AddressPolicy.anyAddress.permits(address))
        #expect(try AddressPolicy.publicOnly(allowing: [text]).permits(address))
    }

    @Test(arguments: table.map(\.0))
    func textGoesThereAndBack(text: String) throws {
        let address = try #require(Address(text))
        #expect(Address(address.description) == address)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.200.1.1", true), ("10.0.0.0/8", "127.0.0.1", false),
        ("10.1.2.3/8", "10.9.9.9", true),
        ("192.168.7.0/25", "192.168.7.127", true), ("192.168.7.0/25", "192.168.7.128", false),
        ("127.0.0.1", "127.0.0.1", true), ("127.0.0.1/32", "127.0.0.2", false),
        ("0.0.0.0/0", "127.0.0.1", true),
        ("0.0.0.0/0", "::1", false), ("::/0", "::1", true), ("::/0", "127.0.0.1", false),
        ("::1", "::1", true),
        ("fd00::/8", "fdff::1", true), ("fd00::/8", "fc00::1", false),
        ("127.0.0.1", "::ffff:127.0.0.1", false),
    ])
    func allowedNetworks(network: String, text: String, isAllowed: Bool) throws {
        let address = try #require(Address(text))
        #expect(try AddressPolicy.publicOnly(allowing: [network]).permits(address) == isAllowed)
    }

    @Test func everyBitOfARandomAddressIsCompared() throws {
        var random = SystemRandomNumberGenerator()
        for bits in 1...128 {
            let number = UInt128.random(in: 0 ... .max, using: &random)
            let network = Network.v6(number, bits)
            #expect(network.contains(.v6(number)))
            #expect(
                !network.contains(.v6(number ^ (1 << UInt128(128 - bits)))), "\(Address.v6(number))/\(bits)")
        }
    }

    @Test func socketAddressesAreReadAsTheyAre() {
        var v4 = sockaddr_in()
        v4.sin_family = sa_family_t(AF_INET)
        v4.sin_addr.s_addr = UInt32(0xA9FE_A9FE).bigEndian
        withUnsafePointer(to: &v4) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                #expect(Address($0)?.description == "169.254.169.254")
            }
        }
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        inet_pton(AF_INET6, "fd00::17", &v6.sin6_addr)
        withUnsafePointer(to: &v6) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                #expect(Address($0)?.description == "fd00::17")
            }
        }
    }

    @Test func otherFamiliesAreRefusedUnlessEverythingIsAllowed() throws {
        var local = sockaddr()
        local.sa_family = sa_family_t(AF_UNIX)
        let strict = try AddressPolicy.publicOnly(allowing: ["0.0.0.0/0"])
        #expect(strict.permits(&local) == false)
        #expect(AddressPolicy.anyAddress.permits(&local))
    }
}
