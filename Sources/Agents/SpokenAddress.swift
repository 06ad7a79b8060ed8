import Base

/// Postal addresses as people say them.
enum SpokenAddress {
    /// Any words; whole with a postal code at the end.
    static func read(_ text: String) -> Understanding {
        let words = Words.split(text)
        guard let last = words.last else { return Understanding(value: nil, fullness: .none) }
        let value = words.count >= 2 ? Words.trimmed(text) : nil
        let tail = words.reversed().prefix { SpokenNumbers.one($0) != nil || isNumber($0) || $0 == "oh" }
        let code = SpokenNumbers.digits(in: tail.reversed())
        let isZIP = code.count == 5 && words.count - tail.count >= 3
        let isUK =
            words.count >= 4 && last.count == 3 && last.first?.isNumber == true
            && last.dropFirst().allSatisfy(\.isLetter)
            && words[words.count - 2].last.map { $0.isNumber || $0.isLetter } == true
            && words[words.count - 2].contains(where: \.isNumber)
        return Understanding(
            value: value,
            fullness: value != nil && (isZIP || isUK || SpokenRequest.closes(words)) ? .full : .part)
    }

    private static func isNumber(_ word: String) -> Bool {
        word.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
