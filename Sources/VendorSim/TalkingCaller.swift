import Base
import NIOCore
import OfflineVoices

/// A caller with ears and a voice: hears lines, understands them, answers as its script says.
///
/// Lives on the call's event loop; recognition happens on the recogniser's threads and comes back as events.
final class TalkingCaller: Caller, @unchecked Sendable {
    /// Sound from before a line's first loud frames, so that no word loses its head: 200 ms.
    private static let prerollFrames = 10

    private(set) var lines = CallerLines()
    private let loop: any EventLoop
    private var mind: PersonaMind
    private var mouth: Mouth
    private var ear: OfflineRecognitionStream?
    private var edges = SoundEdges()
    private var preroll: [[UInt8]] = []
    private weak var line: (any CallerLine)?
    private var nowMs = 0
    /// Lines whose text is not known yet, oldest first.
    private var unread: [Int] = []
    private var guess = ""

    init(
        _ conversation: Persona.Conversation, spoken: [String: [UInt8]], ears: OfflineRecognizer,
        loop: any EventLoop
    ) {
        self.loop = loop
        mind = PersonaMind(conversation)
        mouth = Mouth(spoken: spoken)
        let ear = ears.open { [weak self] event in
            loop.execute { [weak self] in self?.recognition(event) }
        }
        ear.setGrammar(conversation.grammar.jsgf)
        self.ear = ear
    }

    func tick(heard: [UInt8]?, at ms: Int, line: any CallerLine) -> [UInt8]? {
        self.line = line
        nowMs = ms
        listen(to: heard)
        carryOut(mind.handle(.tick, at: ms))
        return speak()
    }

    func over(at ms: Int) {
        lines.close(at: ms)
        ear?.close()
        ear = nil
    }

    private func listen(to heard: [UInt8]?) {
        let frame = heard ?? Mouth.silence
        let edge = edges.tick(heard)
        lines.note(edge, at: nowMs)
        switch edge {
        case .started:
            ear?.begin()
            for frame in preroll { ear?.send(MuLaw.decode(frame)) }
            ear?.send(MuLaw.decode(frame))
            preroll = []
            line?.note(mouth.isBusy ? .agentCutOff : .agentSpeaks)
            carryOut(mind.handle(.agentStarted, at: nowMs))
        case .stopped:
            ear?.end()
            unread.append(lines.heard.count - 1)
            carryOut(mind.handle(.agentStopped, at: nowMs))
        case nil where edges.isSounding: ear?.send(MuLaw.decode(frame))
        case nil:
            preroll.append(frame)
            if preroll.count > Self.prerollFrames { preroll.removeFirst() }
        }
    }

    private func recognition(_ event: OfflineRecognition) {
        guard ear != nil else { return }
        switch event {
        case .partial(let text):
            guess = text
            carryOut(mind.handle(.partial(text), at: nowMs))
        // Nothing that fits to the end: people go by what they caught.
        case .final(let text): understood(text.isEmpty ? guess : text)
        // A deaf caller says so in its own way: it asks again, and in the end hangs up.
        case .failed: understood("")
        }
    }

    private func understood(_ text: String) {
        guess = ""
        if !unread.isEmpty {
            let index = unread.removeFirst()
            if lines.heard.indices.contains(index) { lines.heard[index].text = text }
        }
        if !text.isEmpty { line?.note(.agentHeard(text)) }
        carryOut(mind.handle(.recognized(text), at: nowMs))
    }

    private func carryOut(_ effects: [PersonaMind.Effect]) {
        for effect in effects {
            switch effect {
            case .say(let parts, let isBargeIn):
                if isBargeIn { line?.note(.bargeIn) }
                let text = mouth.say(parts)
                if !text.isEmpty { line?.note(.callerSays(text)) }
            case .hangUp: line?.hangUpByCaller()
            }
        }
    }

    private func speak() -> [UInt8]? {
        guard let spoken = mouth.tick() else { return nil }
        switch spoken {
        case .sound(let frame): return frame
        case .key(let digit):
            line?.press(digit)
            return nil
        case .quiet: return nil
        case .finished(let lengthMs, let text):
            lines.said.append(.init(startMs: nowMs - lengthMs, endMs: nowMs, text: text))
            carryOut(mind.handle(.spoken, at: nowMs))
            return nil
        }
    }
}

/// What the caller is saying, 20 ms at a time.
struct Mouth {
    enum Spoken {
        case sound([UInt8])
        case key(Character)
        case quiet
        /// The turn is over; it took this many milliseconds.
        case finished(lengthMs: Int, text: String)
    }

    static let silence = [UInt8](repeating: MuLaw.silence, count: MuLaw.frameBytes)
    /// Between two keys: 100 ms.
    private static let ticksBetweenKeys = 5

    private enum Item {
        case sound([UInt8])
        case quiet(ticks: Int)
        case key(Character)
    }

    private let spoken: [String: [UInt8]]
    private var items: ArraySlice<Item> = []
    private var offset = 0
    private var ticks = 0
    private var text = ""
    private(set) var isBusy = false

    init(spoken: [String: [UInt8]]) { self.spoken = spoken }

    /// Begins a turn (or lengthens the one under way); returns its words.
    mutating func say(_ parts: [Cue.Part]) -> String {
        if !isBusy { (ticks, text, items, offset) = (0, "", [], 0) }
        isBusy = true
        var words: [String] = []
        for part in parts {
            switch part {
            case .words(let sentence):
                words.append(sentence)
                items.append(.sound(Self.trimmed(spoken[sentence] ?? [])))
            case .pause(let length): items.append(.quiet(ticks: Int(length.milliseconds) / 20))
            case .keys(let keys):
                for key in keys {
                    items.append(.key(key))
                    items.append(.quiet(ticks: Self.ticksBetweenKeys))
                }
            }
        }
        let said = words.joined(separator: " ")
        text += (text.isEmpty || said.isEmpty ? "" : " ") + said
        return said
    }

    /// nil while there is nothing to say.
    mutating func tick() -> Spoken? {
        guard isBusy else { return nil }
        ticks += 1
        while let item = items.first {
            switch item {
            case .sound(let audio):
                guard offset < audio.count else {
                    next()
                    continue
                }
                var frame = Array(audio[offset..<min(audio.count, offset + MuLaw.frameBytes)])
                offset += MuLaw.frameBytes
                frame.append(contentsOf: repeatElement(MuLaw.silence, count: MuLaw.frameBytes - frame.count))
                return .sound(frame)
            case .quiet(let length):
                guard offset < length else {
                    next()
                    continue
                }
                offset += 1
                return .quiet
            case .key(let digit):
                next()
                return .key(digit)
            }
        }
        isBusy = false
        return .finished(lengthMs: (ticks - 1) * 20, text: text)
    }

    private mutating func next() {
        items = items.dropFirst()
        offset = 0
    }

    /// Synthesisers add silence before and after; the script says where pauses are.
    private static func trimmed(_ audio: [UInt8]) -> [UInt8] {
        let isLoud: (UInt8) -> Bool = { MuLaw.linear[Int($0)].magnitude > loudSample }
        guard let first = audio.firstIndex(where: isLoud), let last = audio.lastIndex(where: isLoud) else {
            return []
        }
        return Array(audio[max(0, first - keptBytes)..<min(audio.count, last + keptBytes)])
    }

    private static let loudSample = 200
    /// 20 ms around the sound stay.
    private static let keptBytes = MuLaw.frameBytes
}
