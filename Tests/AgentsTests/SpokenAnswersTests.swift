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

    /// What stands where is said of a number that is there: 2125550123, unless another is given.
    @Test(arguments: [
        ("no the last one is six", "1234", "1236"), ("the last digit should be six", "1234", "1236"),
        ("no, the last digit is four", "2125550123", "2125550124"), ("no last digit six", "1234", "1236"),
        ("the last one's six", "1234", "1236"), ("the last one is six, not four", "1234", "1236"),
        ("no the first one is a nine", "1234", "9234"), ("the third number was oh", "1234", "1204"),
        ("make the second digit a seven", "1234", "1734"),
        ("the second to last digit is eight", "1234", "1284"),
        ("no, the second five is a nine", "2125550123", "2125950123"),
        ("the last five is nine", "2125550123", "2125590123"),
        ("the zero should be an eight", "2125550123", "2125558123"),
        ("no the area code is three one two", "2125550123", "3125550123"),
        ("the area code's 312", "12125550123", "13125550123"),
        ("the area code is three one two", "5550123", "3125550123"),
        ("no the last four are four five six seven", "2125550123", "2125554567"),
        ("the last two digits are 99", "2125550123", "2125550199"),
        ("no the last three are double oh one", "2125550123", "2125550001"),
        ("the first three are 312", "2125550123", "3125550123"),
        ("the last one is six and the first one is nine", "1234", "9236"),
        ("no it ends in 4567", "2125550123", "2125554567"),
        ("no 312 555 0199", "2125550123", "3125550199"), ("start over", "2125550123", ""),
    ])
    func aPlaceIsMended(said: String, before: String, digits: String) {
        let mended = SpokenCorrections.digits(in: Words.split(said), after: before, goesOn: false) {
            $0.count == 10 && $0 != before
        }
        #expect(mended == digits)
    }

    @Test(arguments: [
        ("no the second nine is a five", "2125550123"), ("the fourth five is a nine", "2125550123"),
        ("the five is a nine", "2125550123"), ("the last one is six seven", "1234"),
        ("the last four are one two three", "2125550123"), ("the ninth digit is one", "1234"),
        ("the area code is 312", "12345678"), ("the area code is three one", "2125550123"),
        ("the last one is six, not nine", "1234"), ("no last one six", "1234"),
        ("the last one is not four", "1234"), ("the last one is", "1234"),
    ])
    func whatIsNotCertainMendsNothing(said: String, before: String) {
        let words = Words.split(said)
        #expect(SpokenCorrections.digits(in: words, after: before) == nil)
        #expect(SpokenCorrections.digits(in: words, after: before, goesOn: false) == nil)
        let asked = Base.Expectation.phone
        #expect(
            Understanding(of: said, after: before, as: asked) == .init(value: nil, fullness: .part))
    }

    /// While a number is dictated, the words that name a place may only say what comes next.
    @Test(arguments: [
        ("the area code is 212 and the number is 555 0123", "", "2125550123"),
        ("my area code is two one two", "", "212"), ("the last four are 0123", "212555", "2125550123"),
        ("the last four are 4567", "", "4567"), ("the last one is 3", "212555012", "2125550123"),
        ("no the last one is 3", "21255501", "21255503"),
        ("the second number is 212 555 0123", "", "2125550123"), ("my first one is 5", "", "5"),
        ("first one two three four", "", "1234"),
        ("the area code is 312 555 0123", "2125550123", "3125550123"),
    ])
    func aPlaceInWhatIsDictatedIsNoCorrection(said: String, before: String, digits: String) {
        #expect(
            SpokenCorrections.digits(in: Words.split(said), after: before) { $0.count == 10 } == digits)
    }

    @Test(arguments: [Base.Expectation.email, .address, .spelling])
    func aCorrectionOfDigitsIsNoOtherAnswer(asked: Base.Expectation) {
        for said in ["no six not five", "six, not five", "No, it's six, not five please.", "sorry six"] {
            #expect(Understanding(of: said, as: asked).value == nil, "\(said)")
        }
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
            "it", "[[", "]]", "the", "last", "first", "second", "digit", "area", "code", "is", "are", "one's",
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
            ("digits:4-8", .digits(min: 4, max: 8)), ("digits:4..8", .digits(min: 4, max: 8)),
            ("yes/no", .yesNo), ("choice:Red| dark red", .choice(["red", "dark red"])),
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
