<?php
declare(strict_types=1);

final class Rentals
{
    public static function begin(int $bike, int $rider): int
    {
        return (int) Database::rows('insert into rentals (bike_id, rider_id, begun) values (?, ?, now())', [$bike, $rider])[0]['id'];
    }

    public static function of(int $rider): array
    {
        return Database::rows('select id, bike_id, begun from rentals where rider_id = ? order by id desc limit 10', [$rider]);
    }
}
