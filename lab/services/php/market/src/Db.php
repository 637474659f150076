<?php
declare(strict_types=1);

final class Db
{
    private static ?PDO $pdo = null;

    public static function get(): PDO
    {
        return self::$pdo ??= new PDO(getenv('DATABASE_DSN'), getenv('DATABASE_USER'), getenv('DATABASE_PASSWORD') ?: null, [
            PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            PDO::ATTR_TIMEOUT => 3,
        ]);
    }

    public static function all(string $sql, array $args = []): array
    {
        $statement = self::get()->prepare($sql);
        $statement->execute($args);
        return $statement->fetchAll(PDO::FETCH_ASSOC);
    }
}
