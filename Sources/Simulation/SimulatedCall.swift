import Agents
package import Base
package import Conversation

/// One whole call in virtual time: everything about it follows from its seed. Pure.
///
/// Owns: a caller, vendors and a carrier that react to the agent, go wrong as the seed says, and what must hold
/// (`Witness`). Does not own: any decision of the conversation, any clock.
package struct SimulatedCall {
    package static let inputsMax = 50_000
    /// One call in so many is played again from its inputs, which must give the same effects.
    static let replayedOneIn: UInt64 = 8

    package struct Outcome: Sendable {
        package var seed: UInt64
        package var inputs = 0
        package var milliseconds = 0
        package var turns = 0
        package var interruptions = 0
        package var cuts = 0
        /// Tools that were run for a guess, and those whose results were used.
        package var toolsAhead = 0
        package var toolsAheadUsed = 0
        package var longestWaitMs = 0
        package var ending: EndReason?
        package var effectsHash: UInt64 = 0
        /// The promise that was broken first, and when.
        package var failure: String?
    }

    /// Sees every input with what was decided on it.
    package typealias Watch = (CallTime, Dialogue.Input, [Dialogue.Effect]) -> Void

    /// What a worker begins with.
    private struct Start {
        var fundedMs: Int
        var holdNumber = 0
        var checkpoint: Checkpoint?
    }

    /// The inputs of one worker.
    private struct Epoch {
        var start: Start
        var inputs: [(at: CallTime, input: Dialogue.Input)] = []
        var effects = EffectsHash()
    }

    let seed: UInt64
    let scenario: Scenario
    let definition: AgentDefinition
    let watch: Watch?
    var dice: Dice
    var conversation: Conversation
    var witness: Witness
    var agenda = Agenda()
    var voice = SimulatedVoice()
    /// Made ahead; not spoken yet.
    var prepared: SimulatedVoice.Utterance?
    var caller: SimulatedCaller
    var now = CallTime.zero
    /// The caller speaks until then.
    var speaksUntil = CallTime.zero
    /// Changes when the caller waits for something else.
    var waiting = 0
    var fundedMs: Int
    private var epochs: [Epoch]
    private var inputs = 0
    /// Of the conversation, since its last input.
    private var due: CallTime?
    private var isOver = false
    private let isReplayed: Bool

    package init(seed: UInt64, watch: Watch? = nil) {
        self.seed = seed
        self.watch = watch
        dice = Dice(seed: seed)
        scenario = Scenario(&dice)
        definition = scenario.agent.definition(maxSeconds: scenario.maxSeconds)
        fundedMs = scenario.fundedMs
        witness = Witness(
            areWordsExact: scenario.areWordsExact, areInputsFitting: scenario.course == .conversation,
            readOnly: Set(definition.tools.filter(\.isReadOnly).map(\.name)))
        caller = SimulatedCaller(manners: scenario.manners)
        let start = Start(fundedMs: scenario.fundedMs)
        conversation = Self.conversation(definition, scenario, start)
        epochs = [Epoch(start: start)]
        isReplayed = seed % Self.replayedOneIn == 0
    }

    private static func conversation(
        _ definition: AgentDefinition, _ scenario: Scenario, _ start: Start
    ) -> Conversation {
        Conversation(
            definition: definition, variables: [:], call: "call", isOutbound: scenario.isOutbound,
            fundedMs: start.fundedMs, holdNumber: start.holdNumber, resuming: start.checkpoint)
    }

    package var checkpoint: Checkpoint { conversation.checkpoint }

    /// Plays the call to its end.
    package mutating func run() -> Outcome {
        witness.begin(maxMs: scenario.maxSeconds * 1000, at: now)
        if let takeoverAtMs = scenario.takeoverAtMs {
            agenda.plan(.takeover, at: .milliseconds(takeoverAtMs))
        }
        feed(.mediaStarted(resumed: false))
        while !isOver, witness.broken == nil, inputs < Self.inputsMax { step() }
        witness.require(isOver || inputs < Self.inputsMax, "the call does not end")
        witness.require(isOver == (witness.hangUps == 1), "not exactly one hangUp")
        if isReplayed, witness.broken == nil { replay() }
        return outcome
    }

    private var outcome: Outcome {
        var outcome = Outcome(seed: seed)
        outcome.inputs = inputs
        outcome.milliseconds = now.milliseconds
        outcome.turns = witness.tally.turns
        outcome.interruptions = witness.tally.interruptions
        outcome.cuts = witness.tally.cuts
        outcome.toolsAhead = witness.drafts.begun.count
        outcome.toolsAheadUsed = witness.drafts.used
        outcome.longestWaitMs = witness.tally.longestWaitMs
        outcome.ending = witness.ending
        for epoch in epochs { outcome.effectsHash = outcome.effectsHash &* 31 &+ epoch.effects.value }
        outcome.failure = witness.broken.map { "\(now.milliseconds) ms: \($0)" }
        return outcome
    }

    private mutating func step() {
        if scenario.course == .anyInputs {
            let next = now + .milliseconds(dice.number(0...400))
            if let due, due <= next {
                now = max(now, due)
                return feed(.deadline)
            }
            now = next
            return feed(AnyInput.next(fitting: witness, &dice))
        }
        if let due, due <= agenda.nextAt ?? due {
            let lateMs = dice.chance(scenario.faults.timer) ? dice.number(0...200) : 0
            now = max(now, due + .milliseconds(lateMs))
            return feed(.deadline)
        }
        guard let at = agenda.nextAt, let event = agenda.next() else {
            return witness.require(false, "nothing will happen any more")
        }
        now = max(now, at)
        happen(event)
    }

    private mutating func happen(_ event: Agenda.Event) {
        switch event {
        case .input(let input): feed(input)
        case .playedOn(let playing): if playing == voice.playing { playOn() }
        case .callerAnswers(let waiting): if waiting == self.waiting { callerAnswers() }
        case .callerCutsIn(let playing): if playing == voice.playing { speak([caller.aside(&dice)]) }
        case .callerMurmurs(let playing): if playing == voice.playing { speak([caller.murmur(&dice)]) }
        case .takeover: takeOver()
        }
    }

    mutating func feed(_ input: Dialogue.Input) {
        inputs += 1
        if case .synthesisFailed(let id, _) = input {
            voice.drop(id)
            if prepared?.id == id { prepared = nil }
        }
        let effects = conversation.handle(input, at: now)
        for effect in effects { epochs[epochs.count - 1].effects.mix(effect) }
        if isReplayed { epochs[epochs.count - 1].inputs.append((now, input)) }
        watch?(now, input, effects)
        due = conversation.deadline
        isOver = conversation.isOver
        witness.check(input, effects, isOver: isOver, deadline: due, at: now)
        for effect in effects { perform(effect) }
    }

    /// The worker is lost; another goes on from the checkpoint.
    private mutating func takeOver() {
        let checkpoint = conversation.checkpoint
        let start = Start(fundedMs: fundedMs, holdNumber: witness.hold, checkpoint: checkpoint)
        epochs.append(Epoch(start: start))
        conversation = Self.conversation(definition, scenario, start)
        agenda.cancelInputs()
        voice.clear()
        prepared = nil
        now = now + .milliseconds(dice.number(200...2000))
        witness.takeOver(maxMs: scenario.maxSeconds * 1000 - checkpoint.elapsedMs, at: now)
        feed(.mediaStarted(resumed: true))
    }

    /// The same inputs at the same times give the same effects.
    private mutating func replay() {
        for epoch in epochs {
            var again = Self.conversation(definition, scenario, epoch.start)
            var effects = EffectsHash()
            for (at, input) in epoch.inputs {
                for effect in again.handle(input, at: at) { effects.mix(effect) }
            }
            witness.require(effects == epoch.effects, "played again, the same inputs lead to something else")
        }
    }
}
