import Routing

/// A tool call's id as vendors take it. Ours tells the call, the tool and its number, which is more than fits.
enum CallID {
    /// OpenAI refuses longer ones ("string too long. Expected a string with maximum length 40").
    static let charactersMax = 40
    private static let hashDigits = 8

    /// Letters, digits, `_` and `-` are all an id may have (Anthropic). The same id is written the same way each time, so that a
    /// prompt's beginning stays what it was; of a long one its end is kept, after a hash of the whole.
    static func wire(_ id: String) -> String {
        let plain = String(
            id.map { character in
                let isPlain = character.isASCII && (character.isLetter || character.isNumber)
                return isPlain || character == "_" || character == "-" ? character : "_"
            })
        guard plain.count > charactersMax else { return plain }
        let hash = String(WordHash.of(id), radix: 16)
        let padding = String(repeating: "0", count: hashDigits - hash.count)
        return padding + hash + "_" + plain.suffix(charactersMax - hashDigits - 1)
    }
}
