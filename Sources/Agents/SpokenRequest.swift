import Base

/// What a caller may ask of any agent, whatever was asked of them: to hear it again, to begin again.
package enum SpokenRequest: Hashable, Sendable {
    case again
    case startOver

    private static let polite: Set<String> = [
        "please", "can", "could", "would", "will", "you", "sorry", "excuse", "me", "um", "uh", "just", "i",
        "the",
        "for", "question", "number", "oh", "ok", "okay", "wait", "no", "hang", "on", "let", "us", "all", "to",
        "want", "again", "it", "that", "one", "more", "time", "once", "back", "my",
    ]
    private static let againPhrases = [
        ["say", "that", "again"], ["say", "it", "again"], ["say", "again"], ["repeat", "that"],
        ["repeat", "it"],
        ["repeat"], ["come", "again"], ["pardon"], ["pardon", "me"], ["what", "was", "that"],
        ["what", "did", "you", "say"], ["one", "more", "time"], ["once", "more"],
        ["didn't", "catch", "that"],
        ["didn't", "hear", "that"], ["didn't", "hear", "you"], ["didn't", "get", "that"],
        ["read", "that", "back"],
    ]
    private static let startOverPhrases = [
        ["start", "over"], ["start", "again"], ["begin", "again"], ["scratch", "that"], ["that's", "wrong"],
        ["that", "is", "wrong"], ["that's", "not", "right"], ["that", "is", "not", "right"],
        ["try", "again"],
        ["from", "the", "beginning"], ["from", "the", "top"],
    ]

    /// nil when the words say more than that.
    package init?(_ words: [String]) {
        func isOnly(_ phrases: [[String]]) -> Bool {
            phrases.contains { phrase in
                guard let range = Words.lastRange(of: phrase, in: words) else { return false }
                return (words[..<range.lowerBound] + words[range.upperBound...]).allSatisfy(
                    Self.polite.contains)
            }
        }
        if isOnly(Self.againPhrases) {
            self = .again
        } else if isOnly(Self.startOverPhrases) {
            self = .startOver
        } else {
            return nil
        }
    }

    /// Also where "start over" comes last, whatever was said before it.
    init?(endOf words: [String]) {
        if let request = SpokenRequest(words) {
            self = request
        } else if Self.lastStartOver(in: words) == words.count, !words.isEmpty {
            self = .startOver
        } else {
            return nil
        }
    }

    /// Where the words after the last "start over" begin.
    static func lastStartOver(in words: [String]) -> Int? {
        startOverPhrases.compactMap { Words.lastRange(of: $0, in: words)?.upperBound }.max()
    }

    private static let closings = [
        ["that's", "it"], ["that", "is", "it"], ["that's", "all"], ["that", "is", "all"],
        ["that's", "everything"], ["that's", "the", "number"], ["that's", "my", "number"], ["i'm", "done"],
    ]

    /// True for words that say themselves that nothing more comes.
    static func closes(_ words: [String]) -> Bool {
        closings.contains {
            words.count > $0.count && Words.stands($0, in: words, at: words.count - $0.count)
        }
    }
}
