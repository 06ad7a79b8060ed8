import Base
import Conversation

/// What a simulated caller says, and how long it takes.
struct SimulatedCaller {
    static let msPerWord = 330
    /// Words that a recogniser gives as one.
    static let wordsPerFinal = 12
    static let endlessWords = 100...500

    /// One run of speech, without a pause that could be heard.
    struct Speech {
        var words: [String]
        var lastsMs: Int
        /// Silence before it.
        var afterMs = 0
    }

    enum Act {
        case speak([Speech])
        case press(String)
        case staySilent
        case hangUp
    }

    var expectation = Expectation.open
    private let manners: Scenario.Manners
    private var tags = 0

    init(manners: Scenario.Manners) { self.manners = manners }

    mutating func answer(_ dice: inout Dice) -> Act {
        if dice.chance(manners.hangsUp) { return .hangUp }
        if dice.chance(manners.staysSilent) { return .staySilent }
        if dice.chance(manners.mumbles) {
            return .speak([Speech(words: [], lastsMs: dice.number(150...1500))])
        }
        if dice.chance(manners.talksForEver) { return .speak([endless(&dice)]) }
        if dice.chance(manners.strays) { return .speak(parts(of: open(&dice), &dice)) }
        let number = (0..<10).map { _ in String(dice.number(0...9)) }
        switch expectation {
        case .yesNo: return .speak(parts(of: dice.chance(0.7) ? "yes please" : "no thank you", &dice))
        case .name: return .speak(parts(of: dice.pick(["ann lee", "my name is bob stone"]), &dice))
        case .date: return .speak(parts(of: dice.pick(["tuesday", "on the third of march"]), &dice))
        case .digits(let min, let max): return dictate(Array(number.prefix(dice.number(min...max))), &dice)
        case .phone: return dictate(number, &dice)
        default:
            return dice.chance(manners.keys)
                ? .press(String(dice.number(1...3))) : .speak(parts(of: open(&dice), &dice))
        }
    }

    /// A few words that come from nobody the agent talks to, or that interrupt it.
    mutating func aside(_ dice: inout Dice) -> Speech {
        let words = tagged(dice.pick(["no wait", "hold on a second", "what did you say", "can you hear me"]))
        return speech(words.split(separator: " ").map(String.init), &dice)
    }

    func murmur(_ dice: inout Dice) -> Speech { speech([dice.pick(["mm-hm", "okay", "right"])], &dice) }

    private mutating func open(_ dice: inout Dice) -> String {
        tagged(
            dice.pick([
                "i would like to pay by card", "can you tell me about my order", "i am not sure what i need",
                "goodbye", "it is about the letter that you sent me last week", "what", "please help me with",
            ]))
    }

    private mutating func tagged(_ text: String) -> String {
        tags += 1
        return text + " " + WordAccount.tag(tags)
    }

    private mutating func endless(_ dice: inout Dice) -> Speech {
        var words: [String] = []
        for count in 1...dice.number(Self.endlessWords) {
            if count % Self.wordsPerFinal == 0 {
                words += tagged("so").split(separator: " ").map(String.init)
            }
            words.append(dice.pick(["and", "then", "we", "went", "there", "again", "you", "know"]))
        }
        return speech(words, &dice)
    }

    private static let digitNames: [String: String] = [
        "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six",
        "7": "seven", "8": "eight", "9": "nine",
    ]

    private func dictate(_ digits: [String], _ dice: inout Dice) -> Act {
        if dice.chance(manners.keys) { return .press(digits.joined() + (dice.chance(0.5) ? "#" : "")) }
        let names = digits.map { Self.digitNames[$0] ?? $0 }
        var parts: [Speech] = []
        for start in stride(from: 0, to: names.count, by: 3) {
            var part = speech(Array(names[start..<min(start + 3, names.count)]), &dice)
            part.afterMs = start == 0 ? 0 : dice.number(200...2500)
            parts.append(part)
        }
        return .speak(parts)
    }

    private func parts(of text: String, _ dice: inout Dice) -> [Speech] {
        let words = text.split(separator: " ").map(String.init)
        guard words.count > 2, dice.chance(manners.pauses) else { return [speech(words, &dice)] }
        let cut = dice.number(1...(words.count - 1))
        var second = speech(Array(words[cut...]), &dice)
        second.afterMs = dice.number(300...2500)
        return [speech(Array(words[..<cut]), &dice), second]
    }

    private func speech(_ words: [String], _ dice: inout Dice) -> Speech {
        Speech(words: words, lastsMs: max(1, words.count) * Self.msPerWord + dice.number(0...200))
    }
}
