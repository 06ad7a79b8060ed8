import Base

/// Do these words sound finished? Pure.
enum Completeness {
    /// Words nobody ends a sentence with.
    private static let unfinished: Set<String> = [
        "um", "uh", "er", "and", "but", "so", "or", "the", "a", "an", "my", "is", "to", "of", "for", "at",
        "on", "with", "because", "if", "i", "it's", "that's", "i'm", "like", "well",
    ]

    /// 0...1; 0.5 where nothing is known, as of no words.
    static func probability(of text: String) -> Double {
        guard let last = Words.split(text).last else { return 0.5 }
        return unfinished.contains(last) ? 0.1 : 0.5
    }
}
