import Base
import VendorSim

/// What one reciting caller heard, turn by turn.
struct RecitedCall {
    /// Quiet that is kept after a caller's last sound.
    static let tailMs = 20
    /// The agent is awaited so long.
    static let answerMaxMs = 4000
    /// The agent's line is under way when it is interrupted.
    private static let interruptsAfter: Duration = .milliseconds(1200)

    /// Said without a pause.
    static let whole = [
        "i would like to book an appointment", "can you tell me when you are open",
        "tuesday would be best for me",
        "that sounds good to me", "i need to change my booking", "what does it cost",
    ]
    /// Said with one, in milliseconds.
    private static let hesitating: [(String, Int, String)] = [
        ("i would like to", 500, "come in next week"), ("my name is", 700, "robert miller"),
        ("could i have", 400, "the one in the afternoon"),
    ]
    private static let interrupting = "no wait that does not work for me"

    /// A greeting is awaited, then `turns` things are said: of four one hesitates and one interrupts.
    static func persona(turns: Int) -> Persona {
        let entries = (0..<turns).map { turn -> Persona.Recital.Entry in
            switch turn % 4 {
            case 1:
                let (first, pause, second) = hesitating[turn / 4 % hesitating.count]
                return .init([.words(first), .pause(.milliseconds(pause)), .words(second)])
            case 3: return .init([.words(interrupting)], interruptsAfter: interruptsAfter)
            default: return .init([.words(whole[turn / 2 % whole.count])])
            }
        }
        return Persona(.recites(Persona.Recital(entries)))
    }

    /// From the last sound of a turn without inner pause to the agent's first.
    private(set) var answersMs: [Int] = []
    /// The same of turns with one.
    private(set) var hesitatingMs: [Int] = []
    /// From the first sound of an interruption to the agent's last.
    private(set) var silentMs: [Int] = []
    private(set) var turns = 0
    /// Nobody answered.
    private(set) var failedTurns = 0
    /// The agent spoke before the turn was over.
    private(set) var cutTurns = 0
    let gaps: Int
    let frames: Int
    let lateFrames: Int
    let clockLateMs: Int

    init(_ observation: CallObservation) {
        gaps = observation.gaps.count { $0.lengthMs > 20 }
        frames = observation.framesPlayed
        lateFrames = observation.lateFrames
        clockLateMs = observation.clockLateMaxMs
        // The last one may be hung up on.
        for line in observation.said.dropLast() { add(line, observation.heard) }
    }

    private mutating func add(_ line: CallObservation.Line, _ heard: [CallObservation.Line]) {
        turns += 1
        let end = line.endMs - Self.tailMs
        let isHesitating = Self.hesitating.contains { line.text == "\($0.0) \($0.2)" }
        if let over = heard.last(where: { $0.startMs < line.startMs && $0.endMs > line.startMs }) {
            silentMs.append(over.endMs - line.startMs)
        }
        if heard.contains(where: { $0.startMs > line.startMs && $0.startMs < end }) { cutTurns += 1 }
        guard let answer = heard.first(where: { $0.startMs >= end }), answer.startMs - end <= Self.answerMaxMs
        else {
            failedTurns += 1
            return
        }
        if isHesitating {
            hesitatingMs.append(answer.startMs - end)
        } else {
            answersMs.append(answer.startMs - end)
        }
    }
}
