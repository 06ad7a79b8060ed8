import Agents
import Base
import Testing

struct UnderstandingTests {
    @Test(arguments: [
        ("five five five oh one double two", "5550122"), ("twenty three", "23"), ("six hundred", "600"),
        ("six hundred and twelve", "612"), ("one eight hundred five five five", "1800555"),
        ("555-0122", "5550122"),
        ("triple seven nought four", "77704"), ("it's four, um, then nineteen", "419"),
        ("twenty twenty six", "2026"),
        ("two thousand and six", "2006"), ("ninety nine eighty", "9980"), ("oh hello there", ""),
        ("oh oh seven", "007"),
        ("o one o two", "0102"), ("my number is 415 555 0100", "4155550100"), ("double", ""), ("hundred", ""),
        ("", ""),
        ("eighty-eight", "88"), ("seven hundred eleven", "711"), ("double oh seven", "007"),
    ])
    func digitsAreReadAsPeopleDictateThem(said: String, digits: String) {
        #expect(SpokenNumbers.digits(in: Words.split(said)) == digits)
    }

    private func read(_ text: String, _ expectation: Base.Expectation, keys: String = "") -> Understanding {
        Understanding(of: text, keys: keys, as: expectation)
    }

    @Test func aNumberIsFullWhenNothingMoreCanCome() {
        let asked = Base.Expectation.digits(min: 4, max: 6)
        #expect(read("hello", asked) == .init(value: nil, fullness: .none))
        #expect(read("one two", asked) == .init(value: nil, fullness: .part))
        #expect(read("one two three four", asked) == .init(value: "1234", fullness: .enough))
        #expect(read("one two three four five six", asked) == .init(value: "123456", fullness: .full))
        #expect(read("one two three four five six seven", asked) == .init(value: nil, fullness: .enough))
        #expect(read("one", asked, keys: "9876") == .init(value: "9876", fullness: .enough))
        #expect(read("one two three four", .digits(min: 4, max: 4)).fullness == .full)
    }

    @Test func telephoneNumbersKnowTheirLength() {
        #expect(
            read("five five five oh one double two", .phone) == .init(value: "5550122", fullness: .part))
        #expect(read("415 555 0100", .phone).fullness == .full)
        #expect(read("1 415 555 0100", .phone) == .init(value: "14155550100", fullness: .full))
        #expect(read("1 415 555 010", .phone) == .init(value: nil, fullness: .part))
        #expect(read("four one five five five five oh one", .phone) == .init(value: nil, fullness: .part))
        #expect(
            read("plus four four two oh seven nine four six double oh one eight", .phone).fullness == .full)
        #expect(read("+49 30 901820", .phone).fullness == .enough)
        #expect(read("011 41 44 668 18 00", .phone).fullness == .full)
        #expect(read("415 555 0100 that's it", .phone).fullness == .full)
        #expect(read("plus 999 12 34 56 7", .phone).fullness == .enough)
        #expect(read("020 7946 0018", .phone).fullness == .full)
        #expect(read("four one five", .phone) == .init(value: nil, fullness: .part))
    }

    @Test(
        arguments: [
            ("yes", "yes"), ("yeah sure", "yes"), ("that's right", "yes"), ("mm-hm", "yes"),
            ("of course", "yes"),
            ("uh huh", "yes"), ("uh-huh", "yes"), ("mm hm", "yes"), ("uh huh no", "no"),
            ("no problem", "yes"), ("please do", "yes"), ("yes I don't mind", "yes"), ("no", "no"),
            ("nope", "no"),
            ("that is not right", "no"), ("no thank you", "no"), ("that's wrong", "no"),
            ("I don't think so", "no"),
            ("oui merci", "yes"), ("Sí", "yes"), ("ja gerne", "yes"), ("Non.", "no"), ("nein danke", "no"),
            ("Нет", "no"),
            ("I don't know", nil), ("I'm not sure", nil), ("what", nil), ("", nil),
        ] as [(String, String?)])
    func yesAndNo(said: String, value: String?) {
        #expect(read(said, .yesNo).value == value)
    }

    @Test(
        arguments: [
            ("next tuesday", "next tuesday"), ("on Monday please", "monday"),
            ("the third of march", "march 3"),
            ("March 3rd", "march 3"), ("twenty third of april", "april 23"),
            ("june the twenty first", "june 21"),
            ("tomorrow", "tomorrow"), ("the day after tomorrow", "day after tomorrow"),
            ("not monday, friday", "friday"),
            ("5 may", "may 5"), ("february thirtieth", nil), ("maybe", nil),
            ("tuesday the third of march", "march 3"),
            ("december thirty first", "december 31"), ("whenever", nil), ("thursdays are good", "thursday"),
        ] as [(String, String?)])
    func daysStaySymbolic(said: String, value: String?) {
        #expect(read(said, .date).value == value)
    }

    @Test func aDayWithoutAMonthOwesOne() {
        #expect(read("the third", .date).fullness == .part)
        #expect(read("march", .date).fullness == .part)
        #expect(read("next", .date).fullness == .part)
        #expect(read("maybe on the", .date).fullness == .part)
    }

    @Test func aChoiceThatMayBeALongerOneIsWaitedFor() {
        let choice = Base.Expectation.choice(["red", "dark red", "new york", "new york city"])
        #expect(read("dark", choice) == .init(value: nil, fullness: .part))
        #expect(read("the dark red", choice) == .init(value: "dark red", fullness: .full))
        #expect(read("red", choice) == .init(value: "red", fullness: .full))
        #expect(read("red no dark", choice) == .init(value: "red", fullness: .enough))
        #expect(read("new york", choice) == .init(value: "new york", fullness: .enough))
        #expect(read("new york city", choice) == .init(value: "new york city", fullness: .full))
    }

    @Test func namesAndChoices() {
        let known = Base.Expectation.name(known: ["ann lee", "ann", "bob stone"])
        #expect(read("my name is Ann Lee", known).value == "ann lee")
        #expect(read("ann", known).value == "ann")
        #expect(read("charles", known).value == nil)
        #expect(read("hi this is mary jones", .name(known: [])).value == "Mary Jones")
        #expect(
            read("what did you want to know about my account exactly then", .name(known: [])).value == nil)
        let choice = Base.Expectation.choice(["red", "dark red", "blue"])
        #expect(read("the dark red one", choice).value == "dark red")
        #expect(read("red, no, blue", choice).value == "blue")
        #expect(read("green", choice).value == nil)
        #expect(read("  anything goes ", .open).value == "anything goes")
        #expect(read("   ", .open).value == nil)
    }

    @Test(arguments: 0..<UInt64(200))
    func anyTextIsReadWithoutTrapping(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let vocabulary = [
            "hundred", "thousand", "and", "double", "oh", "twenty", "one", "99999999999999999999", "'", "-",
            "é", "march",
            "the", "third", "day", "after", "tomorrow", "\u{200B}", "３", "½", "no", "not", "nine", "ninety",
        ]
        let text = (0..<Int.random(in: 0...30, using: &random)).map { _ in
            vocabulary.randomElement(using: &random) ?? ""
        }
        .joined(separator: Bool.random(using: &random) ? " " : "-")
        for asked in [
            Base.Expectation.open, .yesNo, .phone, .date, .digits(min: 1, max: 30), .name(known: []),
        ] {
            _ = read(text, asked)
        }
    }
}

struct PatternTests {
    @Test(arguments: [
        ("abc", "xxabcxx", true), ("^abc$", "abc", true), ("^abc$", "xabc", false), ("a.c", "abc", true),
        ("a.c", "a\nc", false), ("(cat|dog)s?", "two dogs", true), ("\\d{3}-\\d{4}", "call 555-0122", true),
        ("\\d{3,}", "12", false), ("[a-f]+[^0-9]", "xx f!", true), ("\\bno\\b", "I know", false),
        ("\\bno\\b", "oh no", true), ("HELLO", "hello", true), ("grüß", "GRÜSSE GRÜß", true),
        ("a*", "", true),
        ("(a|b)*c$", "ababc", true), ("[]x]", "]", true), ("\\s\\S", "a b", true), ("x{0}y", "y", true),
        ("(a?){30}a{30}", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true), ("[\\d.]+%", "12.5%", true),
        ("a||b", "zzz", true),
    ])
    func searches(pattern: String, text: String, found: Bool) throws {
        #expect(try Pattern(pattern).matches(text) == found, "\(pattern) in \(text)")
    }

    @Test(arguments: [
        "(", ")", "[", "a{2", "*a", "a{3,2}", "a{101}", "\\q", "(?=a)", "[z-a]", "((a{100}){100}){100}",
        "a**?+",
        String(repeating: "(", count: 50) + String(repeating: ")", count: 50),
        String(repeating: "a", count: 400),
    ])
    func whatIsNotAPatternIsRefused(pattern: String) {
        #expect(throws: Pattern.Failure.self) { try Pattern(pattern) }
    }

    @Test func emptyGroupsDoNotMultiply() throws {
        #expect(try Pattern("(((((){100}){100}){100}){100}){100}").matches("x"))
    }

    @Test func hostilePatternsTakeLinearTime() throws {
        let clock = ContinuousClock()
        let pattern = try Pattern("(a*)*(a|aa)+b$")
        let took = clock.measure { _ = pattern.matches(String(repeating: "a", count: 5000)) }
        #expect(took < .seconds(2))
    }
}

struct TemplateTests {
    @Test func variablesAreFilledOnce() {
        let values = ["a": "{{b}}", "b": "2"]
        #expect(Template.filled("{{a}} {{ b }} {{c}}!", with: { values[$0] }) == "{{b}} 2 !")
        #expect(Template.filled("{{a", with: { values[$0] }) == "")
        #expect(Template.names(in: "{{a}} and {{b}}") == ["a", "b"])
        #expect(Template.names(in: "{{a}} and {{b") == nil)
        #expect(
            Template.filled(String(repeating: "{{b}}", count: 9000), with: { values[$0] }).count
                == Template.textMax)
        // An agent's whole system text is filled in.
        let system = String(repeating: "x", count: AgentLimits.systemCharacters)
        #expect(Template.filled(system + "{{b}}", max: Template.systemMax) { values[$0] } == system + "2")
        #expect(Template.spoken(digits: "4155550100") == "4 1 5, 5 5 5, 0 1 0 0")
    }
}
