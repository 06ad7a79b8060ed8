import Base
import Logging
import VendorSim

/// A world whose one tenant speaks through vendors of every stage, over TLS.
struct SpokenWorld {
    static let voice = "bf0a246a-8642-498a-9950-80c35e9276b5"

    let vendors: VendorGround
    let world: BenchWorld

    /// `cores`: the only ones that the worker and all else may run on; nil: any.
    static func start(
        _ delays: VendorGround.Delays, known: [KnownSpeech], capacity: Int,
        cores: (workers: Int, others: Int)?,
        directory: String, logger: Logger
    ) async throws -> SpokenWorld {
        let vendors = try await VendorGround.start(
            delays, known: known, directory: DemoPlatform.absolute(directory), logger: logger)
        do {
            var needs = BenchWorld.Needs(name: "Spoken", capacity: capacity, keepsAudio: false) { _ in agent }
            needs.environment = ["PARLEY_CA_FILE": vendors.caFile]
            needs.credentials = vendors.credentials()
            needs.cores = cores
            return SpokenWorld(
                vendors: vendors, world: try await BenchWorld.start(needs, directory: directory))
        } catch {
            await vendors.stop()
            throw error
        }
    }

    func stop() async {
        await world.stop()
        await vendors.stop()
    }

    private static let agent: JSON = [
        "name": "Desk",
        "definition": [
            "speaks_first": "agent",
            "prompt": [
                "system": "You book appointments. Be brief.",
                "first_line": "Hello, how can I help you today?",
                "vendor": "openai", "model": .string(VendorGround.model),
            ],
            "voice": ["stt": "deepgram", "tts": "cartesia", "voice": .string(voice)],
        ],
    ]
}
