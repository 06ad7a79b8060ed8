import Base

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
    static func trimmed(_ audio: [UInt8]) -> [UInt8] {
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
