import OfflineVoices
import Synchronization
import Testing

@testable import VendorSim

/// How well a caller understands the desk's agent (voice `slt`, telephone band), faster than real time.
@Suite(.serialized) struct EarTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func theDesksQuestionsAreUnderstood(_ seed: UInt64)
        async throws
    {
        let appointment = Persona.appointment(seed: seed)
        guard case .talks(let conversation) = appointment.persona.behaviour else { return }
        let ears = OfflineRecognizer(threads: 1)
        let desk = AppointmentDesk()
        let phone = appointment.expected.phone.map { HeardGrammar.digits[$0.wholeNumberValue ?? 0] }
        for (line, keyword) in [
            (desk.greeting, "what is your name"), (desk.askDay, "like to come"),
            (desk.notice, "shall we go on"),
            (desk.askPhone, "phone number"), (desk.confirm, "is that correct"),
            (desk.booked, "anything else"),
            (desk.goodbye, "goodbye"),
        ] {
            let text = line.replacing("{name}", with: appointment.expected.name)
                .replacing("{day}", with: appointment.expected.day.spoken)
                .replacing("{phone}", with: phone.joined(separator: " "))
            let audio = MuLaw.decode(try await PersonaVoices().speak(text, voice: "slt"))
            let heard = await hear(audio, grammar: conversation.grammar, ears: ears)
            let place = PersonaMind.lastPlace(of: keyword, in: PersonaMind.words(heard))
            #expect(place != nil, "seed \(seed): \(text) -> \(heard)")
        }
    }

    private func hear(_ audio: [Int16], grammar: HeardGrammar, ears: OfflineRecognizer) async -> String {
        let (texts, say) = AsyncStream<String>.makeStream()
        let guess = Mutex("")
        let ear = ears.open { event in
            switch event {
            case .final(let text): say.yield(text.isEmpty ? guess.withLock { $0 } : text)
            case .failed(let reason): say.yield("FAILED \(reason)")
            case .partial(let text): guess.withLock { $0 = text }
            }
        }
        ear.setGrammar(grammar.jsgf)
        ear.begin()
        for start in stride(from: 0, to: audio.count, by: 160) {
            ear.send(Array(audio[start..<min(audio.count, start + 160)]))
        }
        ear.end()
        defer { ear.close() }
        for await text in texts { return text }
        return ""
    }
}
