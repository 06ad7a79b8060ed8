package import Base
package import OfflineVoices

/// The JSGF grammar of what a question may be answered with.
///
/// It holds words as they are spoken; turning them into values is `Agents`' work. Besides whole answers it takes parts of
/// them, because a pause in the middle ends an utterance ("my name is" … "peter").
/// Source: W3C note "JSpeech Grammar Format", 2000.
package struct Grammar: Sendable {
    /// Phrases of a flow; more are left out.
    static let phrasesMax = 500
    static let wordsPerPhraseMax = 16

    package private(set) var jsgf = ""
    /// Phrases without a word that can be pronounced, or too long, or too many.
    package private(set) var dropped = 0

    package init(_ expectation: Expectation, phrases: [String], dictionary: PronouncingDictionary?) {
        let extra = spoken(phrases, dictionary)
        let carried: [String]
        var plain = extra
        switch expectation {
        case .yesNo:
            carried = OfflineVocabulary.yes + OfflineVocabulary.no
        case .choice(let choices):
            carried = spoken(choices, dictionary)
        case .digits, .phone:
            carried = ["<digit>+"]
        case .date:
            carried = ["<date>"]
            plain += ["<date_part>"]
        case .name(let known):
            let names = spoken(known, dictionary)
            carried = known.isEmpty ? ["<name> [ <name> ]"] : names
        case .spelling, .address, .email, .amount: carried = ["<word>+"]
        case .open:
            carried = extra.isEmpty ? ["<word>+"] : OfflineVocabulary.yes + OfflineVocabulary.no
        }
        jsgf = Self.text(expectation, carried: carried, plain: plain)
    }

    private static func text(_ expectation: Expectation, carried: [String], plain: [String]) -> String {
        let whole = carried.isEmpty ? [] : ["[ <before> ] ( \(carried.joined(separator: " | ")) )"]
        let alternatives = (whole + plain + ["<before>"]).joined(separator: " | ")
        return """
            #JSGF V1.0;
            grammar answer;
            public <answer> = [ <opening> ] ( \(alternatives) ) [ <closing> ] | <opening>;
            <opening> = uh | um | well | hello | hi | okay | so;
            <closing> = please | thanks | thank you;
            <before> = \(carriers(expectation).joined(separator: " | "));
            \(rules(expectation))
            """
    }

    /// The rules an answer is made of.
    private static func rules(_ expectation: Expectation) -> String {
        let words = OfflineVocabulary.self
        switch expectation {
        case .yesNo, .choice: return ""
        case .digits, .phone:
            return """
                <number> = \(words.digits.joined(separator: " | "));
                <digit> = <number> | ( double | triple ) <number>;
                """
        case .date: return dateRules
        case .name(let known):
            return known.isEmpty ? "<name> = \(words.names.joined(separator: " | "));" : ""
        case .open, .spelling, .address, .email, .amount:
            let all =
                words.common + ["yes", "no", "yeah", "okay"] + words.digits + words.weekdays + words.names
            return "<word> = \(all.joined(separator: " | "));"
        }
    }

    private static let dateRules: String = {
        let words = OfflineVocabulary.self
        return """
            <weekday> = \(words.weekdays.joined(separator: " | "));
            <month> = \(words.months.joined(separator: " | "));
            <ordinal> = \(words.ordinals.joined(separator: " | "));
            <date> = [ next | this ] <weekday> | today | tomorrow | [ the ] day after tomorrow | <month> [ the ] <ordinal> |
            [ the ] <ordinal> [ of ] <month> | <weekday> [ the ] <ordinal> [ of ] [ <month> ] |
            <weekday> <month> [ the ] <ordinal>;
            <date_part> = <month> | [ the ] <ordinal>;
            """
    }()

    private static func carriers(_ expectation: Expectation) -> [String] {
        let asking = ["i want", "i would like", "i'd like", "it is", "it's", "can i have"]
        switch expectation {
        case .yesNo: return ["i think", "i said", "i would say"]
        case .choice, .open, .spelling, .address, .email, .amount:
            return asking + ["the", "i need", "for the", "i said"]
        case .digits, .phone:
            return [
                "my number is", "my phone number is", "the number is", "it is", "it's", "yes", "sure",
                "i said",
            ]
        case .date: return ["on", "for", "on the", "how about", "maybe"] + asking
        case .name: return ["my name is", "the name is", "this is", "it is", "it's", "i am", "i'm", "i said"]
        }
    }

    /// Phrases as words that can be recognised: lower case, digits spelled, signs dropped.
    private mutating func spoken(_ phrases: [String], _ dictionary: PronouncingDictionary?) -> [String] {
        var seen: Set<String> = []
        var result: [String] = []
        for phrase in phrases {
            let words = Self.words(phrase)
            let canSay = words.allSatisfy { !(dictionary?.pronunciations(of: $0).isEmpty ?? false) }
            guard !words.isEmpty, words.count <= Self.wordsPerPhraseMax, canSay,
                result.count < Self.phrasesMax
            else {
                dropped += 1
                continue
            }
            let text = words.joined(separator: " ")
            if seen.insert(text).inserted { result.append(text) }
        }
        return result
    }

    /// Only letters and inner apostrophes reach the grammar's text: it is built from what tenants write.
    static func words(_ phrase: String) -> [String] {
        var words: [String] = []
        var word = ""
        func finish() {
            while word.hasSuffix("'") { word.removeLast() }
            if !word.isEmpty { words.append(word) }
            word = ""
        }
        for character in phrase.lowercased().replacing("\u{2019}", with: "'") {
            switch character {
            case "a"..."z": word.append(character)
            case "'" where !word.isEmpty: word.append(character)
            case "0"..."9":
                finish()
                words.append(digitNames[character] ?? "zero")
            default: finish()
            }
        }
        finish()
        return words
    }

    private static let digitNames: [Character: String] = Dictionary(
        uniqueKeysWithValues: zip("0123456789", ["zero"] + OfflineVocabulary.digits.dropFirst(2)))
}
