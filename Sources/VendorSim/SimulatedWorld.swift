package import Logging

/// Everything outside the platform, on loopback: a carrier with its callers, a booking tool, a chat model.
///
/// Owns the three servers. Prints nothing: what was seen is in `CallObservation`, `ToolSink.received` and
/// `SimulatedModel.requests`, and live in `SimulatedCarrier.watch`.
package struct SimulatedWorld: Sendable {
    package struct Configuration: Sendable {
        package var carrier = SimulatedCarrier.Configuration()
        package var sinkPort = 0
        package var chat = ModelSettings()
        package init() {}
    }

    package let carrier: SimulatedCarrier
    package let sink: ToolSink
    package let chat: SimulatedModel

    /// - Throws: what binding a port gave; nothing stays open then.
    package static func start(_ configuration: Configuration = Configuration(), logger: Logger) async throws
        -> SimulatedWorld
    {
        let carrier = try await SimulatedCarrier.start(configuration.carrier, logger: logger)
        do {
            let sink = try await ToolSink.start(port: configuration.sinkPort, logger: logger)
            do {
                let chat = try await SimulatedModel.start(configuration.chat, logger: logger)
                return SimulatedWorld(carrier: carrier, sink: sink, chat: chat)
            } catch {
                await sink.stop()
                throw error
            }
        } catch {
            await carrier.stop()
            throw error
        }
    }

    package func stop() async {
        await carrier.stop()
        await sink.stop()
        await chat.stop()
    }

    /// A caller with an appointment in mind phones `number`; the sink knows what must come of it.
    package func phoneForAppointment(
        _ appointment: AppointmentPersona, from: String, to number: String
    ) async throws -> PlacedCall {
        sink.expect(appointment.expected, from: from)
        return try await carrier.placeInbound(from: from, to: number, persona: appointment.persona)
    }
}
