package import Base
package import NIOSSL

/// What all simulated vendors of speech are told.
package struct VendorSettings: Sendable {
    /// 0 takes a free port.
    package var port = 0
    /// nil: plain `ws`.
    package var tls: TLSConfiguration?
    /// Event loops; one carries some hundred callers.
    package var loops = 1
    /// nil: any key is good.
    package var key: String?
    /// The same seed gives the same delays and troubles, socket by socket.
    package var seed: UInt64 = 1
    package var rates = TroubleRates()
    /// From the upgrade's request to its answer.
    package var openDelay = DelayLaw.fixed(.zero)
    /// `Retry-After` is written as a date.
    package var retriesAtDate = false
    package init() {}
}

/// A vendor on loopback, whichever wire format it speaks.
package final class SimulatedVendor: Sendable {
    package let port: Int
    /// As a credential's `base_url`.
    package let url: String
    private let door: SocketDoor
    private let script: VendorScript

    /// - Parameters:
    ///   - trace: headers of a refusal, by which the vendor finds it.
    ///   - credential: the value of the vendor's header for this key.
    ///   - answer: who sits behind a socket that was let in.
    /// - Throws: what binding the port or the certificate gave.
    static func start(
        _ settings: VendorSettings, header: String, credential: (String) -> String = { $0 },
        trace: [(String, String)] = [], refusal: @escaping @Sendable (Int) -> String,
        answer: @escaping @Sendable (SocketAsked, VendorVisit) -> VendorAnswer
    ) async throws -> SimulatedVendor {
        let script = VendorScript(seed: settings.seed, rates: settings.rates)
        let key = settings.key.map(credential)
        let door = try await SocketDoor.start(port: settings.port, tls: settings.tls, loops: settings.loops) {
            asked in
            func refuse(_ status: Int, _ wait: Int? = nil) -> SocketVerdict {
                let isDate = settings.retriesAtDate
                let asked = wait.map { [("Retry-After", UTC.retryAfter($0, asDate: isDate))] }
                return .refuse(status: status, headers: (asked ?? []) + trace, body: refusal(status))
            }
            var (random, trouble) = script.welcome(asked)
            if case .refuse(let status, let wait) = trouble { return refuse(status, wait) }
            if let key, asked.headers[header] != key { return refuse(401) }
            let delay = settings.openDelay.sample(using: &random)
            switch answer(asked, VendorVisit(random: random, trouble: trouble, script: script)) {
            case .refuse(let status): return refuse(status)
            case .guest(let guest): return .open(after: delay, guest: guest)
            }
        }
        let scheme = settings.tls == nil ? "http" : "https"
        return SimulatedVendor(door, url: "\(scheme)://localhost:\(door.port)", script: script)
    }

    private init(_ door: SocketDoor, url: String, script: VendorScript) {
        self.door = door
        self.script = script
        self.url = url
        port = door.port
    }

    package func stop() async { await door.stop() }
    /// The next sockets meet these, one each, whatever chance says.
    package func trouble(_ troubles: [VendorTrouble]) { script.add(troubles) }
    /// Breaks every open socket, as a vendor that restarts does.
    package func breakAll() { door.breakAll() }
    package var openSockets: Int { door.openCount }
    package var socketsAsked: Int { door.askedCount }
    /// Path and query of every socket asked for, oldest first.
    package var asked: [(path: String, query: FormBody)] { script.asked.map { ($0.path, $0.query) } }
    /// Every JSON message of every client, oldest first.
    package var messages: [JSON] { script.messages }
}

/// One socket as its guest begins with it.
struct VendorVisit {
    var random: SeededGenerator
    var trouble: VendorTrouble?
    var script: VendorScript
}

enum VendorAnswer {
    case refuse(Int)
    case guest(any SocketGuest)
}
