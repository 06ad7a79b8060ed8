import Base
import NIOCore
import Synchronization

/// What all sockets of one simulated vendor share: chance, troubles to come, what was asked.
final class VendorScript: Sendable {
    static let askedMax = 10_000

    private struct State {
        var random: SeededGenerator
        var troubles: [VendorTrouble] = []
        var asked: [SocketAsked] = []
        var messages: [JSON] = []
    }

    private let state: Mutex<State>
    private let rates: TroubleRates

    init(seed: UInt64, rates: TroubleRates) {
        state = Mutex(State(random: SeededGenerator(seed: seed)))
        self.rates = rates
    }

    func add(_ troubles: [VendorTrouble]) { state.withLock { $0.troubles += troubles } }
    var asked: [SocketAsked] { state.withLock { $0.asked } }
    var messages: [JSON] { state.withLock { $0.messages } }

    /// A generator of its own for one socket, and what goes wrong with it: the script first, else chance.
    func welcome(_ asked: SocketAsked) -> (SeededGenerator, VendorTrouble?) {
        state.withLock { state in
            if state.asked.count < Self.askedMax { state.asked.append(asked) }
            let random = SeededGenerator(seed: state.random.next())
            let chance = rates.draw(using: &state.random)
            return (random, state.troubles.isEmpty ? chance : state.troubles.removeFirst())
        }
    }

    func note(_ message: JSON) {
        state.withLock { if $0.messages.count < Self.askedMax { $0.messages.append(message) } }
    }
}

/// What a socket's trouble does to the messages sent on it.
struct VendorMischief {
    let trouble: VendorTrouble?
    private var isDone = false
    init(_ trouble: VendorTrouble?) { self.trouble = trouble }

    func prepare(_ line: SocketLine) {
        switch trouble {
        case .splitCharacters: line.splitsCharacters = true
        case .trickle(let milliseconds): line.trickle = .milliseconds(Int64(milliseconds))
        default: break
        }
    }

    /// False: nothing is to be sent any more. `error`: the vendor's message of one.
    mutating func maySend(on line: SocketLine, error: String) -> Bool {
        guard !isDone else { return false }
        switch trouble {
        case .silence: isDone = true
        case .stall(line.sentMessages): isDone = true
        case .cut(line.sentMessages):
            isDone = true
            line.cutInMidFrame()
        case .close(let code, line.sentMessages):
            isDone = true
            line.close(code: UInt16(clamping: code))
        case .malformed(line.sentMessages): line.send(text: "{\"type\":\"Res")
        case .error(line.sentMessages): line.send(text: error)
        case .unknownEvents: line.send(text: #"{"type":"Surprise","é":[{}]}"#)
        default: break
        }
        return !isDone
    }
}
