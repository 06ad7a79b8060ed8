import Agents
import Base
import Testing

/// What people take back, rule out or leave open: the value that is left, or none, so that it is asked again.
struct ContradictionTests {
    private func value(_ text: String, _ asked: Base.Expectation) -> String? {
        Understanding(of: text, as: asked).value
    }

    @Test(
        arguments: [
            ("twelve fifty", "12.50"), ("nineteen ninety nine", "19.99"), ("three fifty", "3.50"),
            ("three fifty dollars", "3.50"), ("five oh five", "5.05"), ("it's 12 50", "12.50"),
            ("one hundred twenty three fifty", "123.50"), ("two hundred ninety nine ninety nine", "299.99"),
            ("a dollar", "1"), ("a dollar fifty", "1.50"), ("a cent", "0.01"), ("half a dollar", "0.50"),
            ("one and a half", "1.50"), ("two and a half thousand", "2500"), ("half a million", "500000"),
            ("a million and a half", "1500000"), ("five hundred k", "500000"), ("$5.5k", "5500"),
            ("five point five", "5.50"), ("five point two five", "5.25"), ("point five", "0.50"),
            ("five thousand ninety nine", "5099"), ("two hundred and fifty thousand", "250000"),
            ("two million five hundred thousand and one", "2500001"), ("a hundred and twenty", "120"),
            ("twelve fifty no thirteen fifty", "13.50"), ("fifty dollars, sorry, make that sixty", "60"),
            ("sixty not fifty", "60"), ("fifty dollars, yes, fifty dollars", "50"), ("no thirteen", "13"),
            ("I don't want to pay fifty, rather sixty", "60"),
            ("ten to twenty", nil), ("10-20", nil), ("fifty or sixty dollars", nil), ("not fifty", nil),
            ("fifty dollars and sixty dollars", nil), ("I can't pay fifty", nil), ("one two three", nil),
            ("five hundred and", nil), ("a couple hundred", nil), ("fifteen percent", nil), ("5,50", nil),
            ("two billion", nil), ("five thousand two fifty", nil), ("no that's the wrong one", nil),
            ("half of it", nil), ("a dollar to two", nil),
        ] as [(String, String?)])
    func sums(said: String, sum: String?) {
        #expect(value(said, .amount) == sum)
    }

    /// "Twelve" may become "twelve fifty", and that "twelve fifty five".
    @Test(arguments: [
        ("twelve", Fullness.enough), ("twelve fifty", .enough), ("five point two", .enough),
        ("12.5", .enough), ("12.50", .full), ("a dollar", .enough), ("a dollar fifty", .enough),
        ("a dollar fifty five", .full), ("ten to", .part), ("ten no", .part), ("what", .none),
    ])
    func aSumMayGoOn(said: String, fullness: Fullness) {
        #expect(Understanding(of: said, as: .amount).fullness == fullness)
    }

    @Test(
        arguments: [
            ("john dot smith at gmail dot com no smyth s m y t h", "john.smyth@gmail.com"),
            ("john dot smith at gmail dot com no smyth", "john.smyth@gmail.com"),
            ("john dot smith at gmail dot com, sorry, smyth not smith", "john.smyth@gmail.com"),
            ("john dot smith at gmail dot com no smyth with a y", "john.smyth@gmail.com"),
            ("john at gmail dot com no at hotmail dot com", "john@hotmail.com"),
            ("john at hotmail no at gmail dot com", "john@gmail.com"),
            ("john at gmail dot com no dot org", "john@gmail.org"),
            ("john at gmail dot com no jon at gmail dot com", "jon@gmail.com"),
            ("john at gmail dot com please", "john@gmail.com"),
            ("john at gmail dot com thank you", "john@gmail.com"),
            ("john at gmail dot com, that is it, thanks.", "john@gmail.com"),
            ("um john at um gmail dot com um", "john@gmail.com"),
            ("john at gmail dot com that is my address", "john@gmail.com"),
            ("john at example dot co dot uk please", "john@example.co.uk"),
            ("john at mail dot my company dot org", "john@mail.mycompany.org"),
            ("no john at gmail dot c o m", "john@gmail.com"),
            ("no reply at example dot com", "noreply@example.com"),
            ("double u double l at gmail dot com", "wll@gmail.com"),
            ("john dot smith s m y t h at gmail dot com", "john.smyth@gmail.com"),
            ("john at gmail dot com no he said bananas", nil), ("jim at jam dot com no jom", nil),
            ("john at gmail dot com smyth s m y t h", nil), ("john at gmail dot com no", nil),
            ("john at gmail dot com jim at gmail dot com", nil), ("john at example thanks", nil),
        ] as [(String, String?)])
    func addresses(said: String, address: String?) {
        #expect(value(said, .email) == address)
    }

    @Test(
        arguments: [
            ("of course not", "no"), ("of course I don't", "no"), ("of course, no problem", "yes"),
            ("yes sorry no", "no"), ("yes I mean no", "no"), ("no wait yes", "yes"),
            ("no actually yes", "yes"),
            ("sorry yes", "yes"), ("no sorry", "no"), ("absolutely not", "no"), ("don't go ahead", "no"),
            ("yes, that's not a problem", "yes"), ("yes, I don't mind", "yes"), ("no, that is right", "no"),
            ("yes that's wrong", nil), ("that's wrong yes", nil), ("yes that's not right", nil),
            ("yes actually that's wrong", nil), ("no that's actually right", nil), ("yes no", nil),
            ("yes or no", nil), ("that's not wrong", nil), ("no wait", nil), ("yes I mean", nil),
        ] as [(String, String?)])
    func yesOrNo(said: String, answer: String?) {
        #expect(value(said, .yesNo) == answer)
    }

    @Test func anAnswerThatIsBeingTakenBackIsWaitedFor() {
        #expect(Understanding(of: "no wait", as: .yesNo).fullness == .part)
        #expect(Understanding(of: "no sorry", as: .yesNo) == .init(value: "no", fullness: .enough))
        #expect(Understanding(of: "no", as: .yesNo) == .init(value: "no", fullness: .full))
    }

    @Test(
        arguments: [
            ("blue not red", "blue"), ("not red, blue", "blue"), ("not red but blue", "blue"),
            ("red, no, blue", "blue"), ("red or no blue", "blue"), ("blue rather than red", "blue"),
            ("red doesn't work so blue", "blue"), ("I don't want red, make it blue", "blue"),
            ("red, I don't mind", "red"), ("dark red not red", "dark red"), ("why not red", "red"),
            ("red, dark red", "dark red"), ("red yes red", "red"),
            ("not red", nil), ("I don't want red", nil), ("red or blue", nil), ("red and blue", nil),
            ("not red or blue", nil), ("neither red nor blue", nil), ("anything but red", nil),
            ("red isn't what I want", nil), ("red no", nil), ("red or", nil), ("red I can't", nil),
            ("red not red", nil),
        ] as [(String, String?)])
    func choices(said: String, choice: String?) {
        #expect(value(said, .choice(["red", "dark red", "blue"])) == choice)
        #expect(value(said, .name(known: ["red", "dark red", "blue"])) == choice)
    }

    @Test(
        arguments: [
            ("next friday", "next friday"), ("friday", "friday"), ("this friday", "friday"),
            ("monday no tuesday", "tuesday"), ("monday no next tuesday", "next tuesday"),
            ("not tomorrow, friday", "friday"), ("friday doesn't work, monday", "monday"),
            ("tomorrow's no good, friday", "friday"), ("friday but not too early", "friday"),
            ("friday at 10:30", "friday"), ("first thing monday", "monday"),
            ("just a second, monday", "monday"),
            ("friday may work", "friday"), ("no saturday", "saturday"), ("2027-04-03", "april 3"),
            ("april 3 2027", "april 3"), ("march 3rd, friday", "march 3"),
            ("next friday, march third", "march 3"),
            ("not the third of march, the fourth of march", "march 4"),
            ("I can't do friday", nil), ("I can't make it on friday", nil), ("any day but friday", nil),
            ("not friday", nil), ("friday I can't", nil), ("except friday", nil), ("friday or saturday", nil),
            ("monday to friday", nil), ("a week from friday", nil), ("friday week", nil),
            ("friday after next", nil), ("last friday", nil), ("the day before friday", nil),
            ("friday the fourth", nil), ("the second friday in march", nil), ("a friday in march", nil),
            ("march third or fourth", nil), ("the third or fourth of march", nil), ("3/4/2027", nil),
            ("2027-13-03", nil), ("in two weeks", nil), ("in three days", nil), ("next week", nil),
            ("march twenty twenty seven", nil), ("monday no", nil),
        ] as [(String, String?)])
    func days(said: String, day: String?) {
        #expect(value(said, .date) == day)
    }

    @Test(arguments: [
        ("the twenty first", Fullness.part), ("friday the fourth", .part), ("march twenty", .enough),
        ("march third", .full), ("monday or", .part),
    ])
    func aDayMayOweMore(said: String, fullness: Fullness) {
        #expect(Understanding(of: said, as: .date).fullness == fullness)
    }

    @Test(
        arguments: [
            ("double u", "W"), ("double you i l l", "WILL"), ("double l", "LL"), ("j o h n no j o n", "JON"),
            ("j o n sorry j o h n", "JOHN"), ("j o h n no m", "JOHM"), ("s m i t h, y not i", "SMYTH"),
            ("s m i t h no not i y", "SMYTH"), ("s m i t h not i y", nil), ("s not f", "S"),
            ("b as in boy not d", "B"),
            ("s m i t h no m y", nil), ("a n n a b not n", nil), ("j o h n no", nil),
            ("j o n not j o h n", nil),
        ] as [(String, String?)])
    func letters(said: String, spelled: String?) {
        #expect(value(said, .spelling) == spelled)
    }

    @Test(
        arguments: [
            ("415 555 oh one nine six, not six, seven", "", "4155550197"),
            ("4155556 not five 0196", "", nil), ("four one five six not nine", "", nil),
            ("four one five not five", "", nil), ("four one five not", "", nil),
            ("seven seven not six", "4161", nil), ("five five six not five", "41", "4156"),
            ("one two three no wait one two three four five six", "", "123456"),
        ] as [(String, String, String?)])
    func digits(said: String, before: String, digits: String?) {
        #expect(SpokenCorrections.digits(in: Words.split(said), after: before) == digits)
    }

    @Test func aCorrectionThatFitsTwiceMendsNothing() {
        let said = Words.split("no seven seven not six")
        #expect(SpokenCorrections.digits(in: said, after: "4155550196", goesOn: false) == nil)
        #expect(SpokenCorrections.digits(in: said) == nil)
    }
}
