import Base
package import CallDispatch
import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// Every call this worker holds: dialing, attaching, or with a running media loop. One slot each.
package final class LiveCalls: Sendable {
    /// A loop that has not ticked for three renewals is not alive.
    static let silentMax: TimeAmount = .milliseconds(1500)

    struct Dialing {
        var key: CallKey
        var until: NIODeadline
        /// Ends the wait: the caller's side never came (`noAnswer`), or is not wanted any more.
        var end: @Sendable (EndReason) -> Void
    }

    private struct State {
        var dialing: [ID<Call>: Dialing] = [:]
        /// Streams that ask the control plane; by call, with their number.
        var attaching: [ID<Call>: CallKey] = [:]
        var running: [ID<Call>: CallRunner] = [:]
        var isDraining = false
        var used: Int {
            dialing.count + attaching.keys.count { dialing[$0] == nil && running[$0] == nil } + running.count
        }
    }

    package let capacity: Int
    private let state = NIOLockedValueBox(State())

    init(capacity: Int) { self.capacity = capacity }

    package var used: Int { state.withLockedValue { $0.used } }
    package var isDraining: Bool { state.withLockedValue { $0.isDraining } }
    var hasFreeSlot: Bool { state.withLockedValue { !$0.isDraining && $0.used < capacity } }

    func startDraining() { state.withLockedValue { $0.isDraining = true } }

    /// Takes a slot for an outbound call; false when none is free or the call is here already.
    func reserve(_ dialing: Dialing) -> Bool {
        state.withLockedValue { state in
            let call = dialing.key.call
            guard !state.isDraining, state.used < capacity, state.dialing[call] == nil,
                state.running[call] == nil
            else { return false }
            state.dialing[call] = dialing
            return true
        }
    }

    func setDialing(_ dialing: Dialing) {
        state.withLockedValue { state in
            if state.dialing[dialing.key.call] != nil { state.dialing[dialing.key.call] = dialing }
        }
    }

    func release(_ call: ID<Call>) { state.withLockedValue { $0.dialing[call] = nil } }
    func isDialing(_ key: CallKey) -> Bool { state.withLockedValue { $0.dialing[key.call]?.key == key } }

    enum Admission { case admitted, full, duplicate }

    /// A stream with a good token asks to attach.
    func admit(_ key: CallKey) -> Admission {
        state.withLockedValue { state in
            if state.attaching[key.call] != nil { return .duplicate }
            let isHere = state.dialing[key.call] != nil || state.running[key.call] != nil
            guard isHere || (!state.isDraining && state.used < capacity) else { return .full }
            state.attaching[key.call] = key
            return .admitted
        }
    }

    func refuse(_ call: ID<Call>) { state.withLockedValue { $0.attaching[call] = nil } }

    /// The stream's call runs here now; returns an older runner of the same call, to be dropped.
    func begin(_ runner: CallRunner) -> CallRunner? {
        state.withLockedValue { state in
            state.attaching[runner.key.call] = nil
            state.dialing[runner.key.call] = nil
            return state.running.updateValue(runner, forKey: runner.key.call)
        }
    }

    func end(_ runner: CallRunner) {
        state.withLockedValue { state in
            if state.running[runner.key.call] === runner { state.running[runner.key.call] = nil }
        }
    }

    /// Calls to renew the lease with: those whose loop is alive.
    func alive(at now: NIODeadline) -> [CallKey] {
        state.withLockedValue { state in
            state.dialing.values.map(\.key)
                + state.running.values.filter { now - $0.pulse.last < Self.silentMax }.map(\.key)
        }
    }

    /// Takes out the outbound calls that nobody answered in time.
    func expired(at now: NIODeadline) -> [Dialing] {
        state.withLockedValue { state in
            let gone = state.dialing.values.filter { $0.until <= now && state.attaching[$0.key.call] == nil }
            for dialing in gone { state.dialing[dialing.key.call] = nil }
            return gone
        }
    }

    /// Takes an outbound call out that is to end before it was answered.
    func cancelDialing(_ call: ID<Call>) -> Dialing? {
        state.withLockedValue { state in
            state.attaching[call] == nil ? state.dialing.removeValue(forKey: call) : nil
        }
    }

    /// A stream of the call has come, or is just coming.
    func hasMedia(_ call: ID<Call>) -> Bool {
        state.withLockedValue { $0.attaching[call] != nil || $0.running[call] != nil }
    }

    /// The call is not ours any more under this epoch: nothing is reported, the line is let go.
    package func drop(_ key: CallKey) {
        let runner = state.withLockedValue { state in
            if state.dialing[key.call]?.key == key { state.dialing[key.call] = nil }
            return state.running[key.call].flatMap { $0.key == key ? $0 : nil }
        }
        runner?.dropSoon()
    }

    func runner(_ call: ID<Call>) -> CallRunner? { state.withLockedValue { $0.running[call] } }
    package var runners: [CallRunner] { state.withLockedValue { Array($0.running.values) } }
}

/// When a loop last ticked, readable from any thread.
package final class Pulse: Sendable {
    private let nanoseconds = Atomic<UInt64>(NIODeadline.now().uptimeNanoseconds)
    func beat(_ now: NIODeadline) { nanoseconds.store(now.uptimeNanoseconds, ordering: .relaxed) }
    var last: NIODeadline { .uptimeNanoseconds(nanoseconds.load(ordering: .relaxed)) }
}
