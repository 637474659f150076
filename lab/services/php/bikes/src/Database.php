<?php
declare(strict_types=1);

final class Database
{
    private static ?PDO $pdo = null;

    public static function rows(string $sql, array $args = []): array
    {
        self::$pdo ??= new PDO(getenv('DATABASE_DSN'), getenv('DATABASE_USER'), getenv('DATABASE_PASSWORD'), [PDO::ATTR_TIMEOUT => 3]);
        $statement = self::$pdo->prepare($sql);
        $statement->execute($args);
        return $statement->columnCount() > 0 ? $statement->fetchAll(PDO::FETCH_ASSOC) : [['id' => self::$pdo->lastInsertId()]];
    }
}
