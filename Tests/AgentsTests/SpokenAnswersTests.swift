import Agents
import Base
import Testing

struct CorrectionTests {
    @Test(arguments: [
        ("four one five six not five", "", "416"), ("six, not five", "415", "416"),
        ("not five, six", "415", "416"),
        ("no, six", "415", "416"), ("four one five no six", "", "416"), ("sorry four one six", "415", "416"),
        ("four one five no four one six", "", "416"), ("five five five", "415", "415555"),
        ("one two start over three four", "", "34"), ("start over nine", "415", "9"),
        ("no nine eight seven six", "1", "9876"),
        ("six not nine", "415", "416"), ("no", "415", "415"), ("not five", "415", "415"),
        ("it is not", "415", "415"),
        ("I mean seven", "", "7"), ("", "415", "415"),
    ])
    func digitsAreMendedAsPeopleSayIt(said: String, before: String, digits: String) {
        #expect(SpokenCorrections.digits(in: Words.split(said), after: before) == digits)
    }

    @Test func aCorrectionThatGoesOnFillsTheSlot() {
        let said = Words.split("four one five no six five five five oh one double oh")
        #expect(SpokenCorrections.digits(in: said) { $0.count == 10 } == "4165550100")
    }

    @Test(
        arguments: [
            ("say that again", SpokenRequest.again), ("sorry, can you repeat that please", .again),
            ("pardon?", .again),
            ("could you say it again", .again), ("repeat", .again), ("what did you say", .again),
            ("I didn't catch that", .again), ("one more time please", .again), ("start over", .startOver),
            ("that's wrong", .startOver), ("no, let me start again", .startOver),
            ("scratch that please", .startOver),
            ("I need a repeat prescription", nil), ("that's wrong it is five", nil), ("five", nil), ("", nil),
            ("no", nil),
            ("again and again I told them to start over with the kitchen", nil),
        ] as [(String, SpokenRequest?)])
    func requestsAreToldFromAnswers(said: String, request: SpokenRequest?) {
        #expect(SpokenRequest(Words.split(said)) == request)
    }

    @Test(arguments: 0..<UInt64(300))
    func anyWordsAreReadWithoutTrapping(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let vocabulary = [
            "not", "no", "sorry", "start", "over", "five", "six", "one", "double", "twenty",
            "99999999999999999999", "at",
            "dot", "com", "@", ".", "dollars", "cents", "million", "a", "i", "as", "in", "for", "that's",
            "it", "[[", "]]",
            "or", "?", "plus", "½", "é", "12345", "thousand", "i", "mean",
        ]
        let text = (0..<Int.random(in: 0...25, using: &random)).map { _ in
            vocabulary.randomElement(using: &random) ?? ""
        }
        .joined(separator: " ")
        for asked in [
            Base.Expectation.phone, .digits(min: 2, max: 6), .spelling, .address, .email, .amount,
        ] {
            _ = Understanding(of: text, after: "41", as: asked)
        }
        _ = Base.Expectation.inferred(from: text)
        _ = Base.Expectation(markIn: text)
        _ = Words.unmarked(text)
    }
}

struct SpokenTextTests {
    private func read(_ text: String, _ asked: Base.Expectation) -> Understanding {
        Understanding(of: text, as: asked)
    }

    @Test(arguments: [
        ("s m i t h", "SMITH"), ("S-M-I-T-H", "SMITH"), ("b as in boy o double l", "BOLL"),
        ("tango seven x ray", "T7X"),
        ("it is a b c", "ABC"), ("m for mary", "M"), ("november alpha", "NA"),
    ])
    func lettersAreRead(said: String, value: String) {
        #expect(read(said, .spelling) == .init(value: value, fullness: .enough))
        #expect(read(said + " that's it", .spelling) == .init(value: value, fullness: .full))
    }

    @Test func emailAddressesAreRead() {
        #expect(
            read("john dot smith at gmail dot com", .email)
                == .init(value: "john.smith@gmail.com", fullness: .full))
        #expect(read("my email is j o h n five at example dot co", .email).value == "john5@example.co")
        #expect(read("my email is j o h n five at example dot co", .email).fullness == .enough)
        #expect(
            read("John.Smith@example.org.", .email) == .init(value: "john.smith@example.org", fullness: .full)
        )
        #expect(read("john dot smith at", .email) == .init(value: nil, fullness: .part))
        #expect(read("john dot smith at example", .email) == .init(value: nil, fullness: .part))
        #expect(read("my email is", .email) == .init(value: nil, fullness: .none))
    }

    @Test func addressesCloseWithTheirCode() {
        #expect(read("12 elm street", .address) == .init(value: "12 elm street", fullness: .part))
        #expect(read("12 elm street springfield illinois six two seven oh one", .address).fullness == .full)
        #expect(read("221b baker street london nw1 6xe", .address).fullness == .full)
        #expect(read("twelve", .address) == .init(value: nil, fullness: .part))
        #expect(read("", .address) == .init(value: nil, fullness: .none))
    }

    @Test(arguments: [
        ("twenty dollars", "20", Fullness.enough), ("$250.10", "250.10", .full),
        ("two hundred and fifty", "250", .enough),
        ("twenty dollars and fifty cents", "20.50", .full), ("fifty cents", "0.50", .full),
        ("two thousand five hundred dollars", "2500", .enough), ("1,200", "1200", .enough),
        ("a hundred bucks", "100", .enough),
        ("twelve hundred", "1200", .enough), ("five dollars five", "5.05", .full),
    ])
    func sumsAreRead(said: String, value: String, fullness: Fullness) {
        #expect(read(said, .amount) == .init(value: value, fullness: fullness))
    }

    @Test(
        arguments: [
            ("open", .open), ("yes_no", .yesNo), ("digits:6", .digits(min: 6, max: 6)),
            ("digits:4-8", .digits(min: 4, max: 8)),
            ("choice:Red| dark red", .choice(["red", "dark red"])),
            ("name:ann lee", .name(known: ["ann lee"])),
            ("email", .email), ("digits", nil), ("digits:9-4", nil), ("digits:0", nil), ("digits:4-", nil),
            ("choice:", nil),
            ("", nil), ("phone:1", nil), ("fax", nil),
        ] as [(String, Base.Expectation?)])
    func aSpecIsOneLine(spec: String, expectation: Base.Expectation?) {
        #expect(Base.Expectation(spec: spec) == expectation)
        #expect(Base.Expectation(markIn: "Sure. [[\(spec)]]") == expectation)
        #expect(Words.unmarked("Sure. [[\(spec)]]") == "Sure. ")
    }
}
