import OfflineVoices
import Testing

@testable import VendorSim

extension OverSockets {
    /// How well a caller understands the desk's agent (voice `slt`, telephone band), faster than real time.
    struct EarTests {
        @Test func theDesksQuestionsAreUnderstood() async throws {
            var missed: [String] = []
            for seed in 1...6 as ClosedRange<UInt64> { missed += try await misunderstood(seed) }
            // Of 42 lines.
            #expect(missed.count <= 3, "\(missed)")
        }

        /// Lines of the desk, spoken to the caller of this seed, whose question was lost.
        private func misunderstood(_ seed: UInt64) async throws -> [String] {
            var missed: [String] = []
            let appointment = Persona.appointment(seed: seed)
            guard case .talks(let conversation) = appointment.persona.behaviour else { return [] }
            let ears = OfflineRecognizer(threads: 1)
            let desk = AppointmentDesk()
            let phone = HeardGrammar.spoken(appointment.expected.phone)
            for (line, keyword) in [
                (desk.greeting, "what is your name"), (desk.askDay, "like to come"),
                (desk.notice, "shall we go on"),
                (desk.askPhone, "phone number"), (desk.confirm, "is that correct"),
                (desk.booked, "goodbye"),
            ] {
                let text = line.replacing("{name}", with: appointment.expected.name)
                    .replacing("{day}", with: appointment.expected.day.spoken)
                    .replacing("{phone}", with: phone)
                let audio = try await PersonaVoices().speak(text, voice: "slt")
                let heard = await hear(audio, grammar: conversation.grammar, ears: ears)
                let place = PersonaMind.lastPlace(of: keyword, in: PersonaMind.words(heard))
                if place == nil { missed.append("seed \(seed): \(text) -> \(heard)") }
            }
            return missed
        }

        private func hear(_ audio: [UInt8], grammar: HeardGrammar, ears: OfflineRecognizer) async -> String {
            let (events, say) = AsyncStream<OfflineRecognition>.makeStream()
            let ear = CallerEar(ears.open { say.yield($0) }, grammar: grammar)
            defer { ear.close() }
            var frames = stride(from: 0, to: audio.count, by: MuLaw.frameBytes).map {
                Array(audio[$0..<min(audio.count, $0 + MuLaw.frameBytes)]) as [UInt8]?
            }
            frames += Array(repeating: nil, count: SoundEdges.quietTicks)
            for frame in frames {
                if case .line(_, let text) = ear.tick(frame).heard { return text }
            }
            for await event in events {
                if case .line(_, let text) = ear.take(event) { return text }
            }
            return ""
        }
    }
}
