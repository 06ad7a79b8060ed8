import Base

/// Who calls, whom, and what goes wrong: all that a seed chooses before the first word.
struct Scenario {
    enum Course: Hashable {
        /// A caller and vendors that react to the agent.
        case conversation
        /// Inputs in any order, fitting or not.
        case anyInputs
    }

    /// How the keys that a caller presses come through.
    enum Keys: CaseIterable, Hashable { case told, tones, both }

    /// How often one event of each kind goes wrong, 0...1.
    struct Faults: Hashable {
        var ear = 0.0
        var recogniser = 0.0
        var model = 0.0
        var voice = 0.0
        var marks = 0.0
        var tools = 0.0
        var ledger = 0.0
        var carrier = 0.0
        /// The runner's own timer is late or too early.
        var timer = 0.0
    }

    /// Probabilities that a caller does this where it is possible, 0...1.
    struct Manners: Hashable {
        var interrupts = 0.0
        var backchannels = 0.0
        var pauses = 0.0
        var mumbles = 0.0
        var staysSilent = 0.0
        var strays = 0.0
        var keys = 0.0
        var talksForEver = 0.0
        var isTwoPeople = 0.0
        var hangsUp = 0.0
        var reactionMs = 300...900
    }

    static let anyInputsShare = 0.04
    static let faultlessShare = 0.5
    static let faultyShare = 0.35
    static let takeoverShare = 0.15

    let course: Course
    let agent: SimulatedAgent
    let maxSeconds: Int
    let fundedMs: Int
    let isOutbound: Bool
    let keys: Keys
    let faults: Faults
    let manners: Manners
    /// When another worker takes the call over; nil: never.
    let takeoverAtMs: Int?

    init(_ dice: inout Dice) {
        course = dice.chance(Self.anyInputsShare) ? .anyInputs : .conversation
        agent = dice.pick(SimulatedAgent.allCases)
        maxSeconds = dice.pick([60, 120, 300, 600, 900])
        fundedMs = dice.number(20...120) * 1000
        isOutbound = dice.chance(0.5)
        keys = dice.pick(Keys.allCases)
        faults = Self.faults(&dice)
        manners = Self.manners(&dice)
        takeoverAtMs = dice.chance(Self.takeoverShare) ? dice.number(0...90_000) : nil
    }

    /// What the recogniser tells can be taken at its word: each of the caller's words is told in one turn alone.
    var areWordsExact: Bool {
        course == .conversation && faults.ear == 0 && faults.recogniser == 0 && manners.isTwoPeople == 0
    }

    private static func faults(_ dice: inout Dice) -> Faults {
        var faults = Faults()
        if dice.chance(faultlessShare) { return faults }
        func rate(_ dice: inout Dice) -> Double {
            dice.chance(faultyShare) ? dice.pick([0.02, 0.1, 0.4]) : 0
        }
        faults.ear = rate(&dice)
        faults.recogniser = rate(&dice)
        faults.model = rate(&dice)
        faults.voice = rate(&dice) / 4
        faults.marks = rate(&dice)
        faults.tools = rate(&dice)
        faults.ledger = rate(&dice)
        faults.carrier = rate(&dice) / 10
        faults.timer = rate(&dice)
        return faults
    }

    private static func manners(_ dice: inout Dice) -> Manners {
        var manners = Manners()
        func rate(_ dice: inout Dice) -> Double { dice.pick([0, 0, 0.1, 0.3, 0.7]) }
        manners.interrupts = rate(&dice)
        manners.backchannels = rate(&dice)
        manners.pauses = rate(&dice)
        manners.mumbles = rate(&dice) / 2
        manners.staysSilent = rate(&dice) / 3
        manners.strays = rate(&dice)
        manners.keys = rate(&dice)
        manners.talksForEver = rate(&dice) / 40
        manners.isTwoPeople = rate(&dice) / 2
        manners.hangsUp = dice.pick([0, 0.01, 0.05])
        let reaction = dice.number(100...1500)
        manners.reactionMs = reaction...(reaction * 2)
        return manners
    }
}
