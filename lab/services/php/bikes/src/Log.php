<?php
declare(strict_types=1);

/** Lines as a well-known PHP framework writes them. */
final class Log
{
    public static function error(Throwable $e): void
    {
        self::write('ERROR', sprintf("%s {\"exception\":\"[object] (%s(code: %s): %s at %s:%d)\n[stacktrace]\n%s\n\"} ", $e->getMessage(), $e::class, $e->getCode(), $e->getMessage(), $e->getFile(), $e->getLine(), $e->getTraceAsString()));
    }

    public static function write(string $level, string $text): void
    {
        file_put_contents(getenv('LOG_FILE'), sprintf("[%s] production.%s: %s\n", date('Y-m-d H:i:s'), $level, $text), FILE_APPEND | LOCK_EX);
    }
}
