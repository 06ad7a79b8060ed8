/// The words of a turn as `Completeness` sees them: the last eight, the first two and how many there are.
///
/// Runs of letters and of digits, ASCII in lower case; inner apostrophes belong to a word and all other marks
/// only separate. A number, however written or spoken, is one word, and so is "a.m.".
struct SpokenWords {
    /// FNV-1a of its UTF-8, 32 bits, and its last two bytes as 31a + b.
    struct Word: Hashable {
        var hash: UInt32 = 0x811C_9DC5
        /// The last two bytes, the earlier one high.
        fileprivate var tail: UInt32 = 0
        var ending: UInt32 { (tail >> 8) &* 31 &+ (tail & 0xFF) }

        init() {}
        init(_ text: StaticString) {
            for index in 0..<text.utf8CodeUnitCount { add(text.utf8Start[index]) }
        }
        mutating func add(_ byte: UInt8) {
            hash = (hash ^ UInt32(byte)) &* 0x0100_0193
            tail = (tail << 8 | UInt32(byte)) & 0xFFFF
        }
    }

    private static let kept = 8
    private static let number = Word("#")
    private static let letters = (a: Word("a"), p: Word("p"), m: Word("m"))
    private static let (am, pm) = (Word("am"), Word("pm"))
    private static let numbers: Set<UInt32> = hashes(
        """
        zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen \
        seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand third \
        fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth \
        seventeenth eighteenth nineteenth twentieth thirtieth
        """)
    /// Part of a number only after one: "twenty one", "21st".
    private static let numberTails: Set<UInt32> = hashes("one first second st nd rd th")

    private static func hashes(_ words: String) -> Set<UInt32> {
        Set(words.split(separator: " ").map { $0.utf8.reduce(into: Word()) { $0.add($1) }.hash })
    }

    private(set) var count = 0
    private(set) var first = Word()
    private(set) var second = Word()
    /// The latest words, at their number modulo `kept`.
    private var hashes = SIMD8<UInt32>()
    private var tails = SIMD8<UInt32>()

    /// 0 is the last word; less than the smaller of `count` and `kept` - 1.
    func fromEnd(_ place: Int) -> Word {
        let index = (count - 1 - place) % Self.kept
        var word = Word()
        word.hash = hashes[index]
        word.tail = tails[index]
        return word
    }

    private enum Run { case none, letters, digits }

    init(reading bytes: UnsafeBufferPointer<UInt8>) {
        var word = Word()
        var run = Run.none
        var apostrophes = 0
        var index = 0
        while index < bytes.count {
            let byte = Self.plain(bytes, &index)
            if byte == UInt8(ascii: "'"), run == .letters {
                apostrophes += 1
                continue
            }
            let next = Self.run(of: byte)
            if next != run {
                if run != .none { add(word, isDigits: run == .digits) }
                word = Word()
                run = next
                apostrophes = 0
            }
            if next == .none { continue }
            for _ in 0..<apostrophes { word.add(UInt8(ascii: "'")) }
            apostrophes = 0
            word.add(byte)
        }
        if run != .none { add(word, isDigits: run == .digits) }
    }

    /// The next byte in lower case; an apostrophe for the curly one, a blank for other marks and signs
    /// (U+0080...00BF, U+2000...2FFF).
    private static func plain(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> UInt8 {
        let byte = bytes[index]
        index += 1
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): return byte + 32
        case 0xC2:
            index += 1
            return UInt8(ascii: " ")
        case 0xE2:
            index += 2
            let isApostrophe = index <= bytes.count && bytes[index - 2] == 0x80 && bytes[index - 1] == 0x99
            return isApostrophe ? UInt8(ascii: "'") : UInt8(ascii: " ")
        default: return byte
        }
    }

    private static func run(of byte: UInt8) -> Run {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), 0x80...: .letters
        case UInt8(ascii: "0")...UInt8(ascii: "9"): .digits
        default: .none
        }
    }

    private mutating func add(_ word: Word, isDigits: Bool) {
        let isAfterNumber = count > 0 && fromEnd(0) == Self.number
        if isDigits || Self.numbers.contains(word.hash) {
            if !isAfterNumber { append(Self.number) }
        } else if isAfterNumber, Self.numberTails.contains(word.hash) {
            return
        } else if word == Self.letters.m, count > 0,
            fromEnd(0) == Self.letters.a || fromEnd(0) == Self.letters.p
        {
            count -= 1
            append(Self.pm)
        } else {
            append(isAfterNumber && word == Self.am ? Self.pm : word)
        }
    }

    private mutating func append(_ word: Word) {
        if count == 0 { first = word }
        if count == 1 { second = word }
        hashes[count % Self.kept] = word.hash
        tails[count % Self.kept] = word.tail
        count += 1
    }
}
