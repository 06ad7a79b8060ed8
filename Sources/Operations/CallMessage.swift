import Base
import Billing
import CallDispatch
import Store

/// What tenants are told about a call by webhook: Standard Webhooks bodies, without spoken words.
enum CallMessage {
    static func started(_ call: CallRow) -> JSON {
        message("call.started", at: call.times.answered ?? call.times.created, data(call))
    }

    static func ended(_ call: CallRow, _ lines: [CostLine]) -> JSON {
        var members = data(call)
        members["end_reason"] = call.endReason.map { .string($0.rawValue) } ?? .null
        members["connected_ms"] = .int(call.connectedMs)
        members["cost"] = .string((call.cost ?? .zero).description)
        members["cost_lines"] = .array(
            lines.map {
                [
                    "component": .string($0.component.rawValue), "source": .string($0.source),
                    "amount": .string($0.amount.description),
                ]
            })
        return message("call.ended", at: call.times.ended ?? call.times.created, members)
    }

    private static func message(_ type: String, at: Timestamp, _ data: [String: JSON]) -> JSON {
        ["type": .string(type), "timestamp": .string(at.rfc3339), "data": .object(data)]
    }

    private static func data(_ call: CallRow) -> [String: JSON] {
        [
            "call_id": .string(call.id.description), "agent_id": .string(call.agent.description),
            "agent_version": .int(Int64(call.agentVersion)), "direction": .string(call.direction.rawValue),
            "from": .string(call.from.reveal), "to": .string(call.to.reveal), "metadata": call.metadata,
            "created_at": .string(call.times.created.rfc3339),
            "answered_at": call.times.answered.map { .string($0.rfc3339) } ?? .null,
            "ended_at": call.times.ended.map { .string($0.rfc3339) } ?? .null,
        ]
    }
}
