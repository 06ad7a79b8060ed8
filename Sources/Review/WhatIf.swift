package import Base
import Conversation
import Turns

/// What another policy would have decided on a recorded call, turn by turn. Pure.
///
/// Each of the caller's turns is tried apart: the conversation is led as recorded up to the end of the turn before, then
/// goes on twice over the recorded inputs, once with the recorded policy and once with the other. So no
/// difference in one turn reaches the next, and what agent and caller would have done differently is not guessed.
package struct WhatIf: Sendable {
    package struct Row: Hashable, Sendable {
        /// From 1 over all legs; nil for the stretch behind a leg's last turn.
        package var turn: Int?
        package var text: String
        /// When the caller fell silent, in the leg's time.
        package var endedAt: CallTime
        package var recorded: Trial
        package var other: Trial

        /// How much earlier (negative) or later the turn is over; nil where either did not end it whole.
        package var shiftMs: Int? {
            guard case .over(let was) = recorded.end, case .over(let would) = other.end else { return nil }
            return Int((would - was).milliseconds)
        }
    }

    package struct Totals: Hashable, Sendable {
        package var turns = 0
        package var earlier = 0, later = 0
        /// Sum over all turns that both policies ended whole.
        package var shiftMs = 0
        package var compared = 0
        package var cut = Pair(), joined = Pair(), takenUp = Pair(), falseStops = Pair(), silences = Pair()

        package struct Pair: Hashable, Sendable {
            package var recorded = 0, other = 0
            package init() {}
        }
        package init() {}

        /// Mean of the shift; nil when no turn could be compared.
        package var meanShiftMs: Int? {
            compared == 0 ? nil : Int((Double(shiftMs) / Double(compared)).rounded())
        }

        package static func + (a: Totals, b: Totals) -> Totals {
            var sum = a
            sum.turns += b.turns
            sum.earlier += b.earlier
            sum.later += b.later
            sum.shiftMs += b.shiftMs
            sum.compared += b.compared
            for place in [\Totals.cut, \.joined, \.takenUp, \.falseStops, \.silences] {
                sum[keyPath: place].recorded += b[keyPath: place].recorded
                sum[keyPath: place].other += b[keyPath: place].other
            }
            return sum
        }
    }

    package private(set) var rows: [Row] = []

    package init(_ call: RecordedCall, _ changes: PolicyChanges) {
        for leg in call.legs { compare(leg, changes) }
    }

    package var totals: Totals {
        rows.reduce(Totals()) { sum, row in
            var one = Totals()
            one.turns = row.turn == nil ? 0 : 1
            if let shift = row.shiftMs {
                one.earlier = shift < 0 ? 1 : 0
                one.later = shift > 0 ? 1 : 0
                one.shiftMs = shift
                one.compared = 1
            }
            one.count(row.recorded, \.recorded)
            one.count(row.other, \.other)
            return sum + one
        }
    }

    private mutating func compare(_ leg: RecordedCall.Leg, _ changes: PolicyChanges) {
        let recorded = Conversation.policy(leg.start.definition)
        let other = changes.policy(for: leg.start.definition)
        for stretch in Self.stretches(of: leg) {
            let row = Row(
                turn: stretch.over.map { _ in rows.count { $0.turn != nil } + 1 },
                text: stretch.over.map { $0.turn.text.isEmpty ? "keys \($0.turn.keys)" : $0.turn.text } ?? "",
                endedAt: stretch.over?.turn.endedAt ?? leg.entries.last?.at ?? .zero,
                recorded: Trial(stretch, of: leg.entries, policy: recorded),
                other: Trial(stretch, of: leg.entries, policy: other))
            // Behind the last turn there is something to tell only when something differs.
            if row.turn != nil || row.recorded != row.other { rows.append(row) }
        }
    }

    /// Cut at the ends of the caller's turns. A turn that was reopened ends where it ended at last.
    private static func stretches(of leg: RecordedCall.Leg) -> [Trial.Stretch] {
        var stretches: [Trial.Stretch] = []
        var machine = leg.start.conversation
        var current = Trial.Stretch(conversation: machine, from: 0)
        var next: Trial.Stretch?
        for (index, entry) in leg.entries.enumerated() {
            let told = machine.decide(entry.input, at: entry.at).turns
            for effect in told {
                switch effect {
                case .callerTurn(let turn):
                    if let next {
                        stretches.append(current)
                        current = next
                    }
                    current.over = (index, turn)
                    next = Trial.Stretch(conversation: machine, from: index + 1)
                case .reopened:
                    current.over = nil
                    next = nil
                default: break
                }
            }
        }
        stretches.append(current)
        if let next { stretches.append(next) }
        return stretches
    }
}

extension WhatIf.Totals {
    fileprivate mutating func count(_ trial: Trial, _ side: WritableKeyPath<Pair, Int>) {
        switch trial.end {
        case .cut: cut[keyPath: side] += 1
        case .joined: joined[keyPath: side] += 1
        case .takenUp: takenUp[keyPath: side] += 1
        case .over, .open: break
        }
        falseStops[keyPath: side] += trial.falseStops
        silences[keyPath: side] += trial.silences
    }
}
