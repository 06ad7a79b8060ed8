import Agents
import Audio
import Base
import Turns

/// One recording heard as a call's caller: what the ear and the turn machine decide, in virtual time.
///
/// Two machines hear the same: one with an agent that is silent tells the ends of turns; one with an agent that speaks
/// tells what becomes of its voice. Words arrive the moment they end, as from a recogniser without delay.
struct Hearing {
    /// Spoken and not yet heard: the agent talks on and on.
    private static let endlessMs = 3_600_000
    /// As playout tells what was heard.
    private static let heardEveryMs = 200
    /// The line stays open so long after the recording.
    static let afterMs = 8000
    /// Stands for words that nobody recognised.
    private static let unknown = "…"
    private static let line = "So let me tell you about everything that we have on offer at the moment."

    struct Gesture: Encodable {
        var t: Double
        var kind: String
    }

    struct Found: Encodable {
        var id: String
        /// Start, end, told start, told end.
        var segments: [[Double]] = []
        var eot: [Double] = []
        var keys = ""
        var bargein: [Gesture] = []
        /// The end, how final the voice sounded there, and what that is reckoned from; left out unless asked for.
        var falls: [[Double]]?
    }

    private let expectation: Expectation
    private var found: Found
    private var alone: Turns
    private var talking: Turns
    private var words: [Word]
    /// Words told so far, and those of them that final transcripts have told.
    private var told = 0
    private var finished = 0
    private var isSpeech = false
    private var openedAt: (start: Int, told: Int)?
    /// Milliseconds of the agent's sound; nil: it speaks all the time.
    private var agent: AgentTrack?
    private var agentLine: (heardMs: Int, isPaused: Bool)?

    init(
        id: String, expecting expectation: Expectation, words: [Word], agent: AgentTrack?,
        policy: Turns.Policy, tellsFalls: Bool = false
    ) {
        self.expectation = expectation
        found = Found(id: id, falls: tellsFalls ? [] : nil)
        self.words = words
        self.agent = agent
        var policy = policy
        if words.isEmpty { policy.endpointing.wordsTrust = 0 }
        alone = Turns(policy: policy)
        talking = Turns(policy: policy)
        for effect in alone.handle(.ask(expectation), at: .zero) { note(effect, at: 0) }
        _ = talking.handle(.ask(expectation), at: .zero)
    }

    /// Edges of speech and keys of a recording, each at the time it is told, in order.
    struct Cue {
        var ms: Int
        var kind: LineEar.Event

        /// When the speech began that it tells of.
        var onsetMs: Int? {
            if case .speech(.speechStarted(let agoMs), _) = kind { ms - agoMs } else { nil }
        }
    }

    /// 8 kHz samples.
    static func cues(_ samples: [Int16], agent: AgentTrack?, weights: SileroVAD.Weights?) -> [Cue] {
        var ear = LineEar(weights)
        var cues: [Cue] = []
        let tail = [Int16](repeating: 0, count: afterMs * 8)
        let all = samples + tail
        for start in stride(from: 0, to: all.count - 159, by: 160) {
            let ms = (start + 160) / 8
            if let played = agent?.frame(at: ms - 20) {
                played.withUnsafeBufferPointer { ear.agentSounds($0) }
            }
            all[start..<start + 160].withUnsafeBufferPointer { frame in
                ear.hear(frame) { cues.append(Cue(ms: ms, kind: $0)) }
            }
        }
        return cues
    }

    /// Hears all cues to the end of `totalMs`.
    mutating func run(_ cues: [Cue], totalMs: Int) -> Found {
        agent?.goOn(over: cues.compactMap(\.onsetMs))
        var next = 0
        for ms in stride(from: 0, through: totalMs + Self.afterMs, by: 10) {
            advanceAgent(to: ms)
            tellWords(to: ms)
            while next < cues.count, cues[next].ms <= ms {
                hear(cues[next])
                next += 1
            }
            settle(at: ms)
        }
        if let open = openedAt { close(open, end: totalMs, told: totalMs) }
        return found
    }

    private mutating func hear(_ cue: Cue) {
        switch cue.kind {
        case .speech(let event, let fall): hear(event, fall, at: cue.ms)
        case .key(let key):
            found.keys.append(key)
            let keys = alone.keys + String(key)
            let fullness = Understanding(of: "", keys: keys, as: expectation).fullness(ofKeys: keys)
            give(.key(String(key), fullness), at: cue.ms)
        case .tone: break
        }
    }

    private mutating func hear(_ event: SpeechDetector.Event, _ fall: VoiceFall.Features?, at ms: Int) {
        switch event {
        case .stirred: give(.stirred, at: ms)
        case .settled: give(.settled, at: ms)
        case .speechStarted(let agoMs):
            isSpeech = true
            openedAt = (ms - agoMs, ms)
            give(.speechStarted(agoMs: agoMs), at: ms)
        case .speechFading(let agoMs): give(.speechFading(agoMs: agoMs), at: ms)
        case .speechEnded(let agoMs):
            isSpeech = false
            if let open = openedAt { close(open, end: ms - agoMs, told: ms) }
            openedAt = nil
            if let fall { found.falls?.append([Self.seconds(ms - agoMs), fall.finality] + fall.all) }
            give(.speechEnded(agoMs: agoMs, finality: fall?.finality), at: ms)
            if told > finished || words.isEmpty { tellFinal(at: ms) }
        }
    }

    private mutating func close(_ open: (start: Int, told: Int), end: Int, told: Int) {
        found.segments.append([open.start, end, open.told, told].map(Self.seconds))
    }

    private mutating func tellWords(to ms: Int) {
        guard told < words.count, words[told].endMs <= ms else { return }
        while told < words.count, words[told].endMs <= ms { told += 1 }
        if isSpeech { transcript(isFinal: false, at: ms) } else { tellFinal(at: ms) }
    }

    private mutating func tellFinal(at ms: Int) {
        transcript(isFinal: true, at: ms)
        finished = told
    }

    private mutating func transcript(isFinal: Bool, at ms: Int) {
        let text = words.isEmpty ? Self.unknown : words[finished..<told].map(\.text).joined(separator: " ")
        func fullness(_ machine: Turns) -> Fullness {
            Understanding(of: machine.text(with: text), as: expectation).fullness
        }
        apply(
            alone.handle(.transcript(text, isFinal: isFinal, fullness(alone)), at: .milliseconds(ms)), at: ms)
        obey(
            talking.handle(.transcript(text, isFinal: isFinal, fullness(talking)), at: .milliseconds(ms)),
            at: ms)
    }

    private mutating func give(_ input: Turns.Input, at ms: Int) {
        apply(alone.handle(input, at: .milliseconds(ms)), at: ms)
        obey(talking.handle(input, at: .milliseconds(ms)), at: ms)
    }

    private mutating func settle(at ms: Int) {
        let now = CallTime.milliseconds(ms)
        if let due = alone.deadline, due <= now { apply(alone.handle(.deadline, at: now), at: ms) }
        if let due = talking.deadline, due <= now { obey(talking.handle(.deadline, at: now), at: ms) }
    }

    private mutating func apply(_ effects: [Turns.Effect], at ms: Int) {
        for effect in effects { note(effect, at: ms) }
    }

    private mutating func note(_ effect: Turns.Effect, at ms: Int) {
        if case .callerTurn = effect {
            found.eot.append(Self.seconds(ms))
            _ = alone.handle(.ask(expectation), at: .milliseconds(ms))
        }
    }

    /// The agent begins where its track sounds, and again when it was made to stop.
    private mutating func advanceAgent(to ms: Int) {
        let sounds = agent?.isSounding(at: ms) ?? true
        guard var line = agentLine else {
            guard sounds, !talking.isCallerHeard else { return }
            agentLine = (0, false)
            obey(talking.handle(.say(Self.line, isInterruptible: true), at: .milliseconds(ms)), at: ms)
            let lengthMs = agent?.runMs(from: ms) ?? Self.endlessMs
            obey(
                talking.handle(
                    .synthesised(talking.utterances, ms: lengthMs, isLast: true), at: .milliseconds(ms)),
                at: ms)
            return
        }
        guard !line.isPaused else { return }
        line.heardMs += 10
        agentLine = line
        let isOver = !(agent?.goesOn(at: ms) ?? true)
        guard isOver || line.heardMs % Self.heardEveryMs == 0 else { return }
        if isOver { agentLine = nil }
        obey(
            talking.handle(
                .heard(talking.utterances, ms: line.heardMs, isFinished: isOver), at: .milliseconds(ms)),
            at: ms)
    }

    private mutating func obey(_ effects: [Turns.Effect], at ms: Int) {
        for effect in effects {
            let kind: String
            switch effect {
            case .duckPlayout: kind = "duck"
            case .unduckPlayout: kind = "unduck"
            case .pausePlayout:
                kind = "pause"
                agentLine?.isPaused = true
            case .resumePlayout:
                kind = "resume"
                agentLine?.isPaused = false
            case .clearPlayout:
                kind = "clear"
                agentLine = nil
            default: continue
            }
            found.bargein.append(Gesture(t: Self.seconds(ms), kind: kind))
        }
    }

    private static func seconds(_ ms: Int) -> Double { Double(ms) / 1000 }
}

/// Where the agent's side of a recording sounds, in blocks of 20 ms.
struct AgentTrack {
    private static let blockSamples = 160
    private static let blockMs = 20
    /// dB of a 16-bit step that is sound.
    private static let soundDecibels = 30.0
    /// A gap this short is a pause of its speech.
    private static let gapBlocks = 30
    /// Falling silent so long after the caller's voice began, the agent was interrupted: its line was longer than what is
    /// heard of it.
    private static let cutBlocks = 5...50
    /// What is taken to have been left of it: 3 s.
    private static let restBlocks = 150

    private let samples: [Int16]
    private var sounding: [Bool]
    /// Where its lines would have gone on if nobody had interrupted them.
    private var rest: Set<Int> = []

    init(_ samples: [Int16]) {
        self.samples = samples
        sounding = stride(from: 0, to: samples.count, by: Self.blockSamples).map { start in
            let block = Array(samples[start..<min(start + Self.blockSamples, samples.count)])
            return Level(of: block).decibels >= Self.soundDecibels
        }
        var last: Int?
        for index in sounding.indices where sounding[index] {
            if let last, index - last <= Self.gapBlocks { for gap in last..<index { sounding[gap] = true } }
            last = index
        }
    }

    func isSounding(at ms: Int) -> Bool {
        let block = ms / Self.blockMs
        return block < sounding.count && sounding[block]
    }

    /// `onsets`: when the caller's voice began, milliseconds.
    mutating func goOn(over onsets: [Int]) {
        let ends = sounding.indices.filter { sounding[$0] && !isSounding(at: ($0 + 1) * Self.blockMs) }
        for end in ends.map({ $0 + 1 })
        where onsets.contains(where: { Self.cutBlocks.contains(end - $0 / Self.blockMs) }) {
            rest.formUnion(end..<end + Self.restBlocks)
        }
    }

    /// Whether a line that sounded before has more to say at `ms`.
    func goesOn(at ms: Int) -> Bool { isSounding(at: ms) || rest.contains(ms / Self.blockMs) }

    /// nil where it is silent.
    func frame(at ms: Int) -> ArraySlice<Int16>? {
        let block = ms / Self.blockMs
        guard isSounding(at: ms) else { return nil }
        return samples[block * Self.blockSamples..<min(samples.count, (block + 1) * Self.blockSamples)]
    }

    /// How long what it says at `ms` would go on.
    func runMs(from ms: Int) -> Int {
        var end = ms
        while goesOn(at: end) { end += Self.blockMs }
        return end - ms
    }
}
