import Foundation
import Testing
import Turns

struct CompletenessTests {
    @Test(arguments: [
        "yes", "yes please", "no", "no thanks", "no that's all thanks", "okay", "that's right", "sounds good",
        "thank you very much", "goodbye", "tomorrow at three pm", "at half past seven",
        "i'd like to book a table for two", "can i get a large latte please", "what time do you open",
        "how much does it cost", "can you tell me the price of the room", "what's the weather like today",
        "i need to cancel my appointment", "i want to talk to a person", "my name is maria gonzalez",
        "it's for four people", "that works for me", "i don't know", "where is my order",
        "do you have anything cheaper", "next tuesday please", "i lost my credit card",
        "that would be great thanks",
    ])
    func soundsFinished(text: String) {
        #expect(Completeness.probability(finished: text) > 0.5)
    }

    /// A surname, "thirty", "for a week" may follow, or nothing: other evidence decides.
    @Test(arguments: [
        "my name is maria", "tomorrow at three", "how much is it", "is there parking", "can you help me",
        "i'd like to book a table",
    ])
    func isLeftOpen(text: String) {
        let probability = Completeness.probability(finished: text)
        #expect(probability > 0.2 && probability < 0.8)
    }

    @Test(arguments: [
        "um", "so", "i", "and", "my number is", "my name is", "i'd like to", "i'd like to book a",
        "i'd like to book a table for", "i was wondering if", "i was wondering if you",
        "can you tell me the price of", "can you tell me", "can you tell me what", "what time do",
        "how much", "is there a", "i want to talk to", "i need to cancel because", "yes but", "no i",
        "it's on the", "tomorrow at", "the reason i'm calling is", "i'm looking for a", "do you have any",
        "could you please", "i would like to change my", "we need a room with", "i think it's", "let me",
        "it's for four people and", "i have a question about the", "because i", "where is the", "hi i'm",
    ])
    func soundsUnfinished(text: String) {
        #expect(Completeness.probability(finished: text) < 0.5)
    }

    @Test func onlyTheLastWordFinishesIt() {
        var heard = ""
        let verdicts = ["i'd", "like", "to", "book", "a", "table", "for", "two"].map { word in
            heard += heard.isEmpty ? word : " " + word
            return Completeness.probability(finished: heard) > 0.5
        }
        #expect(verdicts == [false, false, false, false, false, false, false, true])
    }

    @Test func punctuationCapitalsAndDigitsDoNotMatter() {
        func same(_ one: String, _ other: String) -> Bool {
            Completeness.probability(finished: one) == Completeness.probability(finished: other)
        }
        #expect(same("My number is.", "my number is"))
        #expect(same("Yes, please!", "yes please"))
        #expect(same("I’d like… two", "i'd like 2"))
        #expect(same("at 7:30 p.m.", "at seven thirty pm"))
        #expect(same("on the 23rd", "on the twenty third"))
    }

    @Test(arguments: ["", " ", "?!", "…", "'"])
    func nothingSaidIsNotFinished(text: String) {
        #expect(Completeness.probability(finished: text) == 0)
    }

    @Test func veryLongTurnsAreJudgedByTheirEnds() {
        let long = String(repeating: "and we also looked at the other room ", count: 100)
        #expect(Completeness.probability(finished: long + "so that's all thank you") > 0.5)
        #expect(Completeness.probability(finished: long + "and then the") < 0.5)
    }

    /// `golden.tsv` is written by the training script, whose Python must agree.
    @Test func agreesWithTheTrainingScript() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../models/completeness/golden.tsv")
        let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(rows.count >= 200)
        for row in rows {
            let parts = row.split(separator: "\t", maxSplits: 1)
            let expected = try #require(Double(parts[0]))
            let text = String(parts[1])
            let got = Completeness.probability(finished: text)
            #expect(abs(got - expected) < 1e-6, "\(text): \(got), the script says \(expected)")
        }
    }
}
