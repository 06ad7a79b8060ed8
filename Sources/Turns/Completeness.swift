import Glibc

/// Does this sound finished? Pure, and blind to punctuation, capitals and how numbers are written.
///
/// A weight for each combination of the last and first words, plus a small network over them, trained on
/// dialogue text by `models/completeness/train.py`; `words.py` and `model.py` beside it do the same sums.
package enum Completeness {
    /// How finished `text`, the words of a turn so far, sounds: 0...1, and 0 for no words.
    ///
    /// The probability that a turn ends here if ends and places inside turns were equally frequent, so
    /// p / (1 - p) is the weight of this evidence.
    package static func probability(finished text: String) -> Double {
        var text = text
        let turn = text.withUTF8 { SpokenWords(reading: $0) }
        if turn.count == 0 { return 0 }
        let rows = rows(of: turn)
        let sum = Double(combinations(rows)) * CompletenessWeights.combinationUnit + network(rows)
        let score = (sum + CompletenessWeights.bias) * CompletenessWeights.slope + CompletenessWeights.offset
        return 1 / (1 + exp(-score))
    }

    /// Words from the end that are looked at; the first two and the number of words are too.
    private static let lastWords = 6
    private static let countMax = 10
    private static let knownRows: UInt32 = 4096
    private static let endings: UInt32 = 128
    private static let bucketBits: UInt32 = 14
    /// Words looked at, and numbers that stand for each.
    private static let places = lastWords + 2
    private static let width = 8
    private static let hidden = 32

    /// Rows of the last words, latest first, of the first and the second, then the number of words.
    private static func rows(of turn: SpokenWords) -> SIMD16<UInt32> {
        var rows = SIMD16(repeating: knownRows + endings)  // Before the first word.
        for place in 0..<min(turn.count, lastWords) { rows[place] = row(of: turn.fromEnd(place)) }
        rows[lastWords] = row(of: turn.first)
        if turn.count > 1 { rows[lastWords + 1] = row(of: turn.second) }
        rows[places] = UInt32(min(turn.count, countMax))
        return rows
    }

    /// A known word's own row, else the one of its ending.
    private static func row(of word: SpokenWords.Word) -> UInt32 {
        let row = word.hash & (knownRows - 1)
        let check = Int((word.hash >> 12) % 86) - CompletenessWeights.most
        let isKnown = CompletenessWeights.value(CompletenessWeights.checks, Int(row)) == check
        return isKnown ? row : knownRows + word.ending % endings
    }

    private static func combinations(_ rows: SIMD16<UInt32>) -> Int {
        let (last, before, first, second, count) = (rows[0], rows[1], rows[6], rows[7], rows[8])
        return weight(Hash(1).with(last))
            + weight(Hash(2).with(last).with(before))
            + weight(Hash(3).with(last).with(before).with(rows[2]))
            + weight(Hash(4).with(last).with(before).with(rows[2]).with(rows[3]))
            + weight(Hash(5).with(last).with(before).with(count))
            + weight(Hash(6).with(first).with(second).with(last))
            + weight(Hash(7).with(first).with(last).with(before))
            + weight(Hash(8).with(last).with(rows[2]))
            + weight(Hash(9).with(last).with(count))
            + weight(Hash(10).with(first).with(second).with(count))
    }

    private struct Hash {
        var value: UInt32
        init(_ number: UInt32) { value = number &* 0x9E37_79B1 }
        func with(_ row: UInt32) -> Hash {
            var next = self
            next.value = (value ^ row) &* 0x0100_0193
            next.value ^= next.value >> 15
            return next
        }
    }

    private static func weight(_ hash: Hash) -> Int {
        CompletenessWeights.value(
            CompletenessWeights.combinations, Int((hash.value &* 0x9E37_79B1) >> (32 - bucketBits)))
    }

    /// One layer of `hidden` units, summed in whole numbers.
    private static func network(_ rows: SIMD16<UInt32>) -> Double {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: hidden) { sums in
            sums.initialize(repeating: 0)
            let zero = Int32(CompletenessWeights.zero)
            var mix = CompletenessWeights.mix.utf8Start
            for place in 0..<places {
                let word = CompletenessVocabulary.words.utf8Start + Int(rows[place]) * width
                for index in 0..<width {
                    let value = Int32(word[index]) &- zero
                    for unit in 0..<hidden { sums[unit] &+= (Int32(mix[unit]) &- zero) &* value }
                    mix += hidden
                }
            }
            var total = 0.0
            let counts = Int(rows[places]) * hidden
            for unit in 0..<hidden {
                let count = CompletenessWeights.value(CompletenessWeights.counts, counts + unit)
                let level =
                    Double(sums[unit]) * CompletenessWeights.mixUnit + Double(count)
                    * CompletenessWeights.countUnit
                let out = CompletenessWeights.value(CompletenessWeights.out, unit)
                if level > 0 { total += level * Double(out) * CompletenessWeights.outUnit }
            }
            return total
        }
    }
}
