import Base
import Conversation

/// What will happen in a simulated world, in order of time; at one time, in the order it was planned.
struct Agenda {
    enum Event {
        case input(Dialogue.Input)
        /// The voice has played on for a while; of this playing only.
        case playedOn(Int)
        /// The caller answers, begins to speak over the agent, or loses patience; of this waiting only.
        case callerAnswers(Int)
        case callerCutsIn(Int)
        case callerMurmurs(Int)
        case takeover
    }

    /// Latest first.
    private var planned: [(at: CallTime, event: Event)] = []

    var nextAt: CallTime? { planned.last?.at }

    mutating func plan(_ event: Event, at time: CallTime) {
        var index = planned.count
        while index > 0, planned[index - 1].at <= time { index -= 1 }
        planned.insert((time, event), at: index)
    }

    mutating func next() -> Event? { planned.popLast()?.event }

    mutating func cancelInputs() { planned.removeAll { if case .input = $0.event { true } else { false } } }
}
