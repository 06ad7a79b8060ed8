/// Words the offline recogniser tells apart well over a telephone line; see `docs/benchmarks.md` for how well.
package enum OfflineVocabulary {
    package static let digits = [
        "zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ]
    package static let weekdays = [
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    ]
    package static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
        "november", "december",
    ]
    /// The days of a month, first to thirty first.
    package static let ordinals: [String] = {
        let first = [
            "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
            "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth",
            "eighteenth", "nineteenth", "twentieth",
        ]
        return first + first.prefix(9).map { "twenty " + $0 } + ["thirtieth", "thirty first"]
    }()
    static let yes = [
        "yes", "yeah", "yep", "sure", "of course", "okay", "correct", "that is correct", "that's correct",
        "that is right", "that's right", "right", "absolutely", "exactly", "yes please", "yes it is",
        "yes that is right",
        "yes that's right", "yes that is correct", "yes that's correct", "go ahead", "sounds good",
        "please do",
    ]
    static let no = [
        "no", "nope", "no thank you", "no thanks", "not really", "no it is not", "no it's not",
        "that is wrong",
        "that's wrong", "no that is wrong", "no that's wrong", "wrong", "incorrect", "not at all", "never",
    ]
    /// What people say anywhere; the word loop of an open question is made of these.
    static let common = [
        "a", "about", "agent", "am", "an", "and", "appointment", "are", "ask", "at", "back", "bill", "book",
        "booking",
        "bye", "call", "can", "cancel", "change", "could", "day", "do", "for", "get", "good", "goodbye",
        "have",
        "hello", "help", "hi", "hours", "how", "i", "i'd", "i'm", "in", "is", "it", "know", "later", "like",
        "make",
        "me", "more", "morning", "move", "much", "my", "need", "new", "next", "not", "now", "number", "of",
        "on",
        "open", "operator", "order", "pay", "person", "phone", "please", "price", "problem", "question",
        "repeat",
        "see", "someone", "speak", "support", "take", "talk", "thank", "thanks", "that", "the", "this",
        "time", "to",
        "today", "tomorrow", "wait", "want", "week", "what", "when", "where", "with", "would", "you", "your",
    ]
    /// First names and surnames that are in the dictionary and sound unlike each other.
    package static let names = [
        "adams", "alexander", "allen", "alvarez", "anderson", "andrew", "angela", "anthony", "ashley",
        "bailey", "baker", "barbara", "benjamin", "betty", "brandon", "brenda", "brian", "brooks", "brown",
        "campbell", "carol", "carter", "castillo", "charles", "chavez", "christine", "christopher", "clark",
        "collins", "cook", "cooper", "cruz", "cynthia", "daniel", "david", "davis", "deborah", "diaz",
        "donald", "donna", "dorothy", "edward", "elizabeth", "emily", "eric", "evans", "flores", "foster",
        "frank", "garcia", "gary", "george", "gomez", "gonzalez", "gray", "green", "gregory", "gutierrez",
        "hall", "harris", "helen", "hernandez", "howard", "hughes", "jack", "jacob", "james", "janet",
        "jason", "jeffrey", "jennifer", "jessica", "john", "jonathan", "jones", "joseph", "joshua",
        "justin", "karen", "kathleen", "kelly", "kenneth", "kevin", "kim", "laura", "lewis", "linda",
        "lisa", "long", "lopez", "margaret", "maria", "mark", "martin", "matthew", "melissa", "mendoza",
        "michael", "michelle", "miller", "mitchell", "moore", "morales", "morgan", "morris", "murphy",
        "myers", "nancy", "nelson", "nguyen", "nicholas", "nicole", "ortiz", "pamela", "parker", "patel",
        "patricia", "patrick", "perez", "peterson", "phillips", "price", "rachel", "ramirez", "ramos",
        "raymond", "reed", "reyes", "richard", "rivera", "robert", "robinson", "rodriguez", "rogers",
        "ross", "ruiz", "samantha", "samuel", "sanchez", "sanders", "sandra", "scott", "sharon", "shirley",
        "smith", "stephanie", "stewart", "susan", "taylor", "thomas", "thompson", "timothy", "torres",
        "turner", "walker", "ward", "watson", "white", "william", "wilson", "wood",
    ]
}
