import Base
import CallDispatch
import Conversation
import Crypto
import Foundation
import Logging
import NIOCore

/// Keeps the newest checkpoint of one call in Redis, sealed with the call's own key. On the call's loop only.
///
/// One write is under way at a time; of what comes meanwhile the newest waits. Losing one loses resumption, never
/// money, so a failure is logged once and the call goes on.
final class Checkpoints: @unchecked Sendable {
    private let plan: Plan
    private let key: SymmetricKey?
    private let board: any CallBoard
    private let logger: Logger
    private let loop: any EventLoop
    private var waiting: Checkpoint?
    private var isWriting = false
    private var hasFailed = false
    private var isDropped = false

    init(_ plan: Plan, board: any CallBoard, logger: Logger, on loop: any EventLoop) {
        self.plan = plan
        self.board = board
        self.logger = logger
        self.loop = loop
        key = Self.key(plan)
    }

    func save(_ checkpoint: Checkpoint) {
        guard !isDropped else { return }
        waiting = checkpoint
        write()
    }

    /// The call is over.
    func drop() {
        isDropped = true
        waiting = nil
        Task { [board, plan] in
            // It expires by itself.
            try? await board.dropCheckpoint(plan.call)
        }
    }

    private func write() {
        guard !isWriting, let checkpoint = waiting, let sealed = seal(checkpoint) else { return }
        waiting = nil
        isWriting = true
        Task { [board, plan, loop] in
            var code: String?
            do {
                try await board.saveCheckpoint(plan.call, sealed: sealed)
            } catch {
                code = (error as? Fault)?.code ?? "unreachable"
            }
            loop.execute { [code] in self.written(code) }
        }
    }

    private func written(_ failure: String?) {
        isWriting = false
        if let failure, !hasFailed {
            hasFailed = true
            logger.warning(
                "checkpoint not kept",
                metadata: ["call": .string("\(plan.call)"), "reason": .string(failure)])
        } else if failure == nil {
            hasFailed = false
        }
        write()
    }

    private func seal(_ checkpoint: Checkpoint) -> [UInt8]? {
        guard let key, let text = try? JSONEncoder().encode(checkpoint) else { return nil }
        return try? Seal.close(Array(text), with: key)
    }

    /// What an earlier worker left; nil when it is gone, or not readable.
    static func load(_ plan: Plan, from board: any CallBoard) async -> Checkpoint? {
        guard let key = key(plan), let sealed = try? await board.loadCheckpoint(plan.call),
            let text = Seal.open(sealed, with: key)
        else { return nil }
        return try? JSONDecoder().decode(Checkpoint.self, from: Data(text))
    }

    private static func key(_ plan: Plan) -> SymmetricKey? {
        guard let bytes = Data(base64Encoded: plan.checkpointKey.reveal), bytes.count == 32 else {
            return nil
        }
        return SymmetricKey(data: bytes)
    }
}
