import Base

/// The sentences of an appointment desk, as its agent speaks them and its callers expect them.
///
/// `{name}`, `{day}` and `{phone}` stand for what the caller said. The demo's agent and the caller's grammar
/// both
/// come from here, so that the caller's ear knows what it may hear; nothing but audio tells it what it does
/// hear.
package struct AppointmentDesk: Hashable, Sendable {
    /// Asks for the name.
    package var greeting = "Welcome to the appointment desk. What is your name?"
    /// Asks for the day.
    package var askDay = "Thank you {name}. Which day would you like to come?"
    /// Long: the caller cuts in.
    package var notice =
        "Please note that the office is closed between noon and one, that parking is behind the building, "
        + "that the door on the left is the right one, and that you should bring a list of your medicines. "
        + "Shall we go on?"
    package var askPhone = "What is your phone number, please?"
    package var confirm = "I have {name} on {day}, phone {phone}. Is that correct?"
    package var booked = "You are booked. Goodbye."
    /// Said when the caller was not understood.
    package var repeats = ["Sorry, I did not understand. Please say it again."]
    /// What a platform says of itself; an ear that does not expect it hears something else in it.
    package var interludes = [
        "Sorry, we were cut off for a moment.",
        "I am sorry, something went wrong on our side. Please call again. Goodbye.",
        "I cannot hear you. Goodbye.",
    ]

    package init() {}

    package var lines: [String] {
        [greeting, askDay, notice, askPhone, confirm, booked] + repeats + interludes
    }

    /// Every phrase of every line by itself: the caller may hear any of them after any other.
    ///
    /// People know their own name and number and expect to hear them; another number is heard as digits.
    package func grammar(names: [String], phones: [String] = []) -> HeardGrammar {
        HeardGrammar(
            Array(Set(lines.flatMap(Self.phrases))).sorted(),
            rules: [
                "name": names, "day": Booking.Day.weekdays,
                "phone": phones.map(HeardGrammar.spoken) + ["<digit>+"], "digit": HeardGrammar.digits,
            ])
    }

    /// Lower case, no punctuation, placeholders as rule names.
    static func phrases(_ line: String) -> [String] {
        line.split { ".,?!".contains($0) }.map { sentence in
            var words = ""
            for character in sentence.lowercased() {
                switch character {
                case "{": words += "<"
                case "}": words += ">"
                case "a"..."z", " ", "'": words.append(character)
                default: words += " "
                }
            }
            return words.split(separator: " ").joined(separator: " ")
        }.filter { !$0.isEmpty }
    }
}

/// A caller who wants an appointment: what it will say, and what must be booked in the end.
package struct AppointmentPersona: Sendable {
    package var persona: Persona
    package var expected: Booking

    /// Everything is drawn from `seed`: name, weekday, ten digits, when it cuts in.
    package init(seed: UInt64, desk: AppointmentDesk = AppointmentDesk(), names: [String] = CallerNames.all) {
        var random = SeededGenerator(seed: seed)
        let name = names[Int(random.next() % UInt64(names.count))]
        // Offices are closed at weekends.
        let day = Booking.Day.weekday(Int(random.next() % 5))
        // North American numbers: area and exchange begin with 2...9.
        let digits = (0..<10).map { place in
            place == 0 || place == 3 ? Int(2 + random.next() % 8) : Int(random.next() % 10)
        }
        expected = Booking(name: name, day: day, phone: digits.map(String.init).joined())
        let cutsInAfter = Duration.milliseconds(1500 + Int(random.next() % 1500))
        let cues = Self.cues(name: name, day: day, digits: digits, cutsInAfter: cutsInAfter)
        let grammar = desk.grammar(names: [name], phones: [expected.phone])
        persona = Persona(.talks(.init(cues: cues, grammar: grammar)))
    }

    private static func cues(name: String, day: Booking.Day, digits: [Int], cutsInAfter: Duration) -> [Cue] {
        func spoken(_ range: Range<Int>) -> Cue.Part {
            .words(HeardGrammar.spoken(digits[range].map(String.init).joined()))
        }
        let pause = Cue.Part.pause(.milliseconds(600))
        return [
            .hear("what is your name", say: "my name is \(name)"),
            .hear("which day", "like to come", say: "\(day.spoken) please"),
            Cue(["please note"], [.words("yes go on please")], timing: .bargeIn(after: cutsInAfter)),
            .hear("shall we go on", say: "yes"),
            Cue(["phone number"], [spoken(0..<3), pause, spoken(3..<6), pause, spoken(6..<10)]),
            .hear("is that correct", say: "yes"),
            // The whole phrase: a bare "goodbye" is soon heard where none was said.
            Cue(["you are booked"], [], hangsUp: true),
        ]
    }
}

extension Persona {
    package static func appointment(seed: UInt64) -> AppointmentPersona { AppointmentPersona(seed: seed) }
}

/// First names a caller may have: common ones, every one in the pronouncing dictionary of the offline
/// recogniser.
package enum CallerNames {
    package static let all = [
        "adam", "alan", "albert", "alice", "amanda", "amy", "andrea", "andrew", "angela", "anna", "anthony",
        "arthur",
        "barbara", "benjamin", "betty", "beverly", "brandon", "brenda", "brian", "carl", "carol", "caroline",
        "catherine", "charles", "cheryl", "christina", "christopher", "cynthia", "daniel", "david", "deborah",
        "dennis", "diana", "donald", "donna", "dorothy", "douglas", "edward", "elizabeth", "emily", "emma",
        "eric",
        "ethan", "eugene", "evelyn", "florence", "frances", "frederick", "gabriel", "george", "gerald",
        "gloria",
        "gregory", "hannah", "harold", "helen", "henry", "isabel", "jacob", "janet", "jason", "jeffrey",
        "jennifer",
        "jeremy", "jessica", "jonathan", "joseph", "joshua", "judith", "julia", "justin", "karen", "kathleen",
        "kenneth", "kevin", "kimberly", "larry", "laura", "lawrence", "leonard", "linda", "lisa", "louise",
        "margaret",
        "maria", "martha", "martin", "matthew", "melissa", "michael", "michelle", "nancy", "nathan",
        "nicholas",
        "nicole", "oliver", "pamela", "patricia", "patrick", "paul", "peter", "philip", "rachel", "raymond",
        "rebecca",
        "richard", "robert", "ronald", "samantha", "samuel", "sandra", "sharon", "sophia", "stephanie",
        "stephen",
        "susan", "teresa", "theodore", "thomas", "timothy", "victoria", "vincent", "virginia", "walter",
        "william",
    ]
}
