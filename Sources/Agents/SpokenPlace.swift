/// Where in a number a correction says that it belongs: "the last one is six", "the second five is a nine", "the area
/// code is three one two", "the last four are …".
struct SpokenPlace: Hashable {
    private enum Place: Hashable {
        /// From the start, from 1; below 0 from the end.
        case digit(Int)
        /// Which of several like these digits, from 1; -1: the last; 0: the only one.
        case same(String, Int)
        /// So many from the start; below 0 from the end.
        case run(Int)
        case areaCode
        /// A place was named, and not understood.
        case unclear
    }

    private let place: Place
    /// What is to stand there; empty where none was said.
    let digits: String
    /// Words of all this.
    let used: Int

    private static let areaCodeDigits = 3

    /// nil where the words at `start` name no place.
    init?(_ words: [String], at start: Int) {
        guard Self.beginnings.contains(words[start]) else { return nil }
        var reader = Reader(words, at: start)
        let isNamed = reader.take(Self.articles)
        if reader.take([["area", "code"]], endingInIs: true) {
            let hasVerb = reader.endedInIs || reader.take(Self.verbs)
            let digits = reader.digits()
            guard hasVerb || !digits.isEmpty else { return nil }
            self.init(.areaCode, digits, reader, from: start)
            return
        }
        guard let ordinal = reader.ordinal() else {
            // "The five is a nine"; without the article it would be digits like others.
            guard isNamed, let same = reader.group(), reader.take(Self.verbs) else { return nil }
            let digits = reader.digits()
            guard digits.count == same.count else { return nil }
            self.init(.same(same, 0), digits, reader, from: start)
            return
        }
        if reader.take(Self.nouns, endingInIs: true) {
            let isOne = reader.last == "one"
            let hasVerb = reader.endedInIs || reader.take(Self.verbs)
            let digits = reader.digits()
            guard hasVerb || !digits.isEmpty else { return nil }
            if isOne, !hasVerb {
                // "First, one two three", or "last one six".
                self.init(.unclear, "1" + digits, reader, from: start)
            } else {
                self.init(.digit(ordinal), digits, reader, from: start)
            }
            return
        }
        guard let counted = reader.group() else { return nil }
        let isRun = reader.take(Self.pluralNouns)
        guard reader.take(Self.verbs) else { return nil }
        let digits = reader.digits()
        if abs(ordinal) == 1, let count = Int(counted), digits.count == count {
            self.init(.run(ordinal * count), digits, reader, from: start)
        } else if !isRun, digits.count == counted.count {
            self.init(.same(counted, ordinal), digits, reader, from: start)
        } else {
            self.init(.unclear, digits, reader, from: start)
        }
    }

    private init(_ place: Place, _ digits: String, _ reader: Reader, from start: Int) {
        self.place = place
        self.digits = digits
        used = reader.at - start
    }

    /// `number` with what was said in its place, and what stood there; nil where that is not certain.
    ///
    /// `goesOn`: `number` may only be the beginning of what is being dictated, and these its end.
    func mended(_ number: String, goesOn: Bool, isWhole: (String) -> Bool) -> (number: String, was: String)? {
        // Nothing to mend yet: the number is begun with its area code, or these are all that was asked for.
        if number.isEmpty { return (digits, "") }
        guard !digits.isEmpty else { return nil }
        if goesOn, isEnd, isWhole(number + digits) { return (number + digits, "") }
        if let range = range(in: number) {
            let all = Array(number)
            return (
                String(all[..<range.lowerBound]) + digits + String(all[range.upperBound...]),
                String(all[range])
            )
        }
        // All of it once more.
        return isWhole(digits) ? (digits, number) : nil
    }

    private var isEnd: Bool {
        switch place {
        case .digit(-1): true
        case .run(let count): count < 0
        default: false
        }
    }

    private func range(in number: String) -> Range<Int>? {
        let count = number.utf8.count
        switch place {
        case .digit(let at):
            let start = at > 0 ? at - 1 : count + at
            return digits.utf8.count == 1 && (0..<count).contains(start) ? start..<start + 1 : nil
        case .same(let wrong, let which):
            let all = Array(number.utf8)
            let wrong = Array(wrong.utf8)
            guard wrong.count <= count else { return nil }
            let places = (0...count - wrong.count).filter { all[$0..<$0 + wrong.count].elementsEqual(wrong) }
            let start =
                switch which {
                case 0: places.count == 1 ? places.first : nil
                case 1...: which <= places.count ? places[which - 1] : nil
                default: -which <= places.count ? places[places.count + which] : nil
                }
            return start.map { $0..<$0 + wrong.count }
        case .run(let length):
            guard abs(length) <= count else { return nil }
            return length > 0 ? 0..<length : count + length..<count
        case .areaCode:
            guard digits.utf8.count == Self.areaCodeDigits else { return nil }
            // A number of North America, with its leading 1 or without, or as much of it as has no area code yet.
            return switch count {
            case 10: 0..<Self.areaCodeDigits
            case 11 where number.first == "1": 1..<1 + Self.areaCodeDigits
            case 7: 0..<0
            case Self.areaCodeDigits: 0..<count
            default: nil
            }
        case .unclear: return nil
        }
    }

    /// First words of all that names a place: nearly no word is one.
    private static let beginnings = Set(
        (articles + Reader.ordinals.map(\.0)).compactMap(\.first) + ["area"])
    private static let articles = [["the"], ["my"], ["that"]]
    private static let nouns = [["one"], ["digit"], ["number"], ["figure"]]
    private static let pluralNouns = [["digits"], ["numbers"], ["ones"], ["figures"]]
    private static let verbs = [
        ["should", "have", "been"], ["should", "be"], ["must", "be"], ["has", "to", "be"],
        ["have", "to", "be"],
        ["ought", "to", "be"], ["needs", "to", "be"], ["would", "be"], ["is", "supposed", "to", "be"], ["is"],
        ["was"], ["are"], ["were"], ["into"], ["to"], ["a"], ["an"],
    ]

    /// Reads words one after the other.
    private struct Reader {
        let words: [String]
        private(set) var at: Int
        private(set) var last = ""
        /// The last phrase had an "is" in it: "the last one's six".
        private(set) var endedInIs = false

        init(_ words: [String], at start: Int) {
            self.words = words
            at = start
        }

        /// The first of `phrases` that stands here.
        mutating func take(_ phrases: [[String]], endingInIs: Bool = false) -> Bool {
            for phrase in phrases where at + phrase.count <= words.count {
                let short = words[at + phrase.count - 1].hasSuffix("'s")
                var here = Array(words[at..<at + phrase.count])
                if endingInIs, short { here[phrase.count - 1].removeLast(2) }
                guard here == phrase else { continue }
                at += phrase.count
                last = phrase[phrase.count - 1]
                endedInIs = endingInIs && short
                return true
            }
            return false
        }

        static let ordinals: [([String], Int)] = [
            (["second", "to", "last"], -2), (["second", "last"], -2), (["next", "to", "last"], -2),
            (["last", "but", "one"], -2), (["third", "to", "last"], -3), (["third", "last"], -3),
            (["very", "first"], 1), (["very", "last"], -1), (["last"], -1), (["final"], -1), (["first"], 1),
            (["second"], 2), (["third"], 3), (["fourth"], 4), (["fifth"], 5), (["sixth"], 6),
            (["seventh"], 7),
            (["eighth"], 8), (["ninth"], 9), (["tenth"], 10),
        ]

        mutating func ordinal() -> Int? {
            for (phrase, value) in Self.ordinals where take([phrase]) { return value }
            return nil
        }

        mutating func group() -> String? {
            guard at < words.count, let (digits, used) = SpokenNumbers.group(words, at) else { return nil }
            at += used
            return digits
        }

        private static let fillers = [
            ["actually"], ["really"], ["in", "fact"], ["a"], ["an"], ["supposed", "to", "be"],
        ]

        /// All that follow each other here.
        mutating func digits() -> String {
            let start = at
            while take(Self.fillers) {}
            var digits = ""
            while let group = group() { digits += group }
            // Alone it is a digit only here.
            if digits.isEmpty, take([["oh"], ["o"]]) { digits = "0" }
            if digits.isEmpty { at = start }
            return digits
        }
    }
}
