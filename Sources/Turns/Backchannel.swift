import Base

/// Short sounds that say "go on" and do not take the floor.
enum Backchannel {
    /// Never an answer while the agent speaks.
    private static let hums: Set<String> = [
        "mm", "mmm", "mhm", "mm-hm", "mmhm", "uh-huh", "hm", "hmm", "ah", "oh", "um", "uh", "er", "ha", "huh",
    ]
    /// An answer only where one of them is what was asked for.
    private static let acknowledgements: [[String]] = [
        ["yeah"], ["yes"], ["yep"], ["yup"], ["ok"], ["okay"], ["right"], ["sure"], ["alright"],
        ["all", "right"],
        ["i", "see"], ["got", "it"], ["good"], ["great"], ["nice"], ["cool"], ["fine"], ["thanks"],
        ["thank", "you"],
        ["uh", "huh"], ["mm", "hm"], ["mm", "hmm"], ["of", "course"], ["exactly"], ["true"],
    ]
    /// More than this is talk, whatever the words.
    private static let wordsMax = 4

    /// True for `text` made of nothing but such sounds; false for nothing at all.
    static func isOnly(_ text: String, fillsSlot: Bool) -> Bool {
        let words = Words.split(text)
        guard !words.isEmpty, words.count <= wordsMax else { return false }
        var at = 0
        while at < words.count {
            if hums.contains(words[at]) {
                at += 1
            } else if !fillsSlot,
                let phrase = acknowledgements.first(where: { words[at...].starts(with: $0) })
            {
                at += phrase.count
            } else {
                return false
            }
        }
        return true
    }
}
