import Agents
import Base
import Testing

struct InferredExpectationTests {
    @Test(
        arguments: [
            ("What is your phone number?", .phone), ("Can I get your phone number please?", .phone),
            ("What's the best number to reach you?", .phone),
            ("Could you give me a callback number?", .phone),
            ("And your mobile number?", .phone), ("What's a good number to call you back?", .phone),
            ("Please tell me your telephone number.", .phone), ("What is your email address?", .email),
            ("May I have your email?", .email), ("Which email should I use?", .email),
            ("What is your address?", .address),
            ("Can you tell me your home address?", .address), ("What street do you live on?", .address),
            ("What is the delivery address?", .address),
            ("Could you spell your last name for me?", .spelling),
            ("How is that spelled?", .spelling), ("Please spell that.", .spelling),
            ("What's your six digit code?", .digits(min: 6, max: 6)),
            ("Please enter the last 4 digits of your card.", .digits(min: 4, max: 4)),
            ("Can you read me the last four digits of your social?", .digits(min: 4, max: 4)),
            ("What is your zip code?", .digits(min: 5, max: 5)),
            ("What's your account number?", .digits(min: 3, max: 20)),
            ("Do you have your order number?", .digits(min: 3, max: 20)),
            ("Could you give me the confirmation number?", .digits(min: 3, max: 20)),
            ("What is your card number?", .digits(min: 13, max: 19)),
            ("And the security code on the back?", .digits(min: 3, max: 4)),
            ("What day works for you?", .date),
            ("Which day suits you?", .date), ("What is your date of birth?", .date),
            ("What date would you like?", .date),
            ("Can you confirm your date of birth? Thanks.", .date),
            ("Can you tell me your date of birth?", .date),
            ("How much would you like to pay?", .amount), ("What amount should I transfer?", .amount),
            ("What is your name?", .name(known: [])), ("May I have your full name?", .name(known: [])),
            ("Who am I speaking with?", .name(known: [])), ("Is that correct?", .yesNo),
            ("Shall I book it?", .yesNo),
            ("Would you like me to send a confirmation?", .yesNo), ("Do you want to continue?", .yesNo),
            ("Your number is 415 555 0100, right?", .yesNo),
            ("So that is Tuesday at ten, is that correct?", .yesNo),
            ("Is this still your email address?", .yesNo), ("Did you receive the email?", .yesNo),
            ("Are you a new patient?", .yesNo), ("Have you been here before?", .yesNo),
            ("Is that okay?", .yesNo),
            ("Great. Can I help you with anything else?", .yesNo), ("Do you want it or not?", .yesNo),
            ("Would you prefer the morning or the afternoon?", .choice(["morning", "afternoon"])),
            ("Is it urgent or routine?", .choice(["urgent", "routine"])),
            ("Pickup or delivery?", .choice(["pickup", "delivery"])),
            ("Would you like to talk to sales or should I take a message for them?", .open),
            ("How can I help you today?", .open), ("What seems to be the problem?", .open),
            ("Why are you calling?", .open),
            ("Can you tell me what happened?", .open), ("What is your name and phone number?", .open),
            ("Tell me more about it.", .open), ("What time works best?", .open), ("", .open),
            ("Goodbye.", .open),
            ("I have your phone number here. Is there anything else?", .yesNo),
            ("What is your phone number? Take your time.", .phone), ("Sure. [[digits:4]]", .open),
        ] as [(String, Base.Expectation)])
    func aQuestionSaysWhatItAsksFor(sentence: String, expectation: Base.Expectation) {
        #expect(Base.Expectation.inferred(from: sentence) == expectation)
    }
}
